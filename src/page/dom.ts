/** The content of an element. A string is text, never markup. */
export type Content = Node | string;

/** Creates an element. Attributes that are `undefined` are omitted. */
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

/** Creates a button. It keeps the focus while `onPress` runs, and ignores clicks until `onPress` is done. */
export function createButton(
  text: string,
  onPress: () => unknown,
  attributes: Readonly<Record<string, string | undefined>> = {},
): HTMLButtonElement {
  const button = element("button", { type: "button", ...attributes }, text);
  button.addEventListener("click", () => void whileBusy(button, onPress));
  return button;
}

/** Marks the button as busy while `work` runs. Does nothing if the button is already busy. */
export async function whileBusy(button: HTMLButtonElement, work: () => unknown): Promise<void> {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    await work();
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

/** Creates a heading that scripts can focus. */
export function createHeading(level: "h1" | "h2", text: string): HTMLHeadingElement {
  return element(level, { tabindex: "-1" }, text);
}
