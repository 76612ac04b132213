import type { Page } from "playwright-core";

/** What can have the focus. */
export type Control = "button" | "link" | "field" | "menuitem";

/** The most presses of Tab that a page of the console needs. */
const mostPresses = 150;

/** Presses Tab until the element of this kind and name has the focus. @throws if it never has. */
export async function tabTo(page: Page, control: Control, name: string | RegExp): Promise<void> {
  for (let presses = 0; presses < mostPresses; presses += 1) {
    await page.keyboard.press("Tab");
    if (await isFocused(page, name, control)) return;
  }
  throw new Error(`Tab doesn't reach the ${control} ${name}`);
}

/** Returns whether the element with this name has the focus. */
export async function isFocused(page: Page, name: string | RegExp, control?: Control): Promise<boolean> {
  const focused = await page.evaluate(() => {
    const element = document.activeElement;
    const isField = element instanceof HTMLInputElement || element instanceof HTMLSelectElement;
    const label = isField ? element.labels?.[0]?.textContent : undefined;
    const kinds = { A: "link", BUTTON: "button", INPUT: "field", SELECT: "field" } as const;
    const kind = kinds[element?.tagName as keyof typeof kinds];
    return {
      name: (element?.getAttribute("aria-label") ?? label ?? element?.textContent ?? "").trim(),
      kind: element?.getAttribute("role") === "menuitem" ? "menuitem" : kind,
    };
  });
  if (control !== undefined && focused.kind !== control) return false;
  return typeof name === "string" ? focused.name === name : name.test(focused.name);
}

/** Moves to a button or a link, and presses Enter. */
export async function press(page: Page, name: string | RegExp, control: Control = "button"): Promise<void> {
  await tabTo(page, control, name);
  await page.keyboard.press("Enter");
}

/** Opens a menu, moves down to an item, and presses Enter. */
export async function choose(page: Page, menu: string | RegExp, item: string | RegExp): Promise<void> {
  await press(page, menu);
  await page.getByRole("menu").waitFor();
  for (let moves = 0; moves < 20; moves += 1) {
    if (await isFocused(page, item, "menuitem")) {
      await page.keyboard.press("Enter");
      return;
    }
    await page.keyboard.press("ArrowDown");
  }
  throw new Error(`the menu ${menu} has no item ${item}`);
}

/** Waits for a dialog. Its first field has the focus. */
export async function seeDialog(page: Page, name: string | RegExp): Promise<void> {
  await page.getByRole("alertdialog", { name }).waitFor();
  await page.waitForFunction(() => document.activeElement?.closest('[role="alertdialog"]') != null);
}

/** Moves to a field of the dialog, if it isn't there yet, and types. */
export async function type(page: Page, label: string | RegExp, text: string): Promise<void> {
  if (!(await isFocused(page, label, "field"))) await tabTo(page, "field", label);
  await page.keyboard.type(text);
}

/** Types the reason into the dialog, and sends it with Enter. */
export async function giveReason(page: Page, reason: string): Promise<void> {
  await type(page, "Reason", reason);
  await page.keyboard.press("Enter");
}

/** Waits until the dialog is closed. */
export async function seeNoDialog(page: Page): Promise<void> {
  await page.getByRole("alertdialog").waitFor({ state: "detached" });
}

/** Waits for the message that says what was done. */
export async function seeMessage(page: Page, text: string | RegExp): Promise<void> {
  await page.getByText(text).first().waitFor();
}
