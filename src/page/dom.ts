/** What an element may hold: a string is text, never markup. */
export type Content = Node | string;

/** A new element. An attribute that is `undefined` is left out. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string | undefined>> = {},
  ...content: readonly Content[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) node.setAttribute(name, value);
  node.append(...content);
  return node;
}

/** A button that runs `press`, one run at a time; it keeps the focus meanwhile. */
export function createButton(
  text: string,
  press: () => unknown,
  attributes: Readonly<Record<string, string | undefined>> = {},
): HTMLButtonElement {
  const button = element("button", { type: "button", ...attributes }, text);
  button.addEventListener("click", () => void whileBusy(button, press));
  return button;
}

/** Runs `work` unless the button is busy already. */
export async function whileBusy(button: HTMLButtonElement, work: () => unknown): Promise<void> {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    await work();
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

/** A heading that scripts may give the focus. */
export function createHeading(level: "h1" | "h2", text: string): HTMLHeadingElement {
  return element(level, { tabindex: "-1" }, text);
}
