import { element } from "../dom.ts";
import type { Outcome } from "./events.ts";

/** Shows what the page waits for, and how it ended. Its place is never empty, so that nothing below moves. */
export interface Result {
  readonly root: HTMLElement;
  readonly show: (outcome: Outcome) => void;
  readonly showError: (text: string) => void;
  readonly clear: () => void;
  /** Returns what is shown, as text. */
  readonly toText: () => string;
}

/** Creates the place. `hint` is shown while nothing has happened, and `progress` while a script plays. */
export function createResult(hint: string, progress: HTMLElement): Result {
  const outcome = element("p", { class: "outcome", role: "status" });
  const here = element("dd", { class: "here" });
  const elsewhere = element("dd", {});
  const inside = element(
    "dl",
    { class: "inside", hidden: "" },
    element("div", {}, element("dt", {}, "Attacker logged in for"), here),
    element("div", {}, element("dt", {}, "With a reusable token: up to"), elsewhere),
  );
  const alert = element("p", { class: "message error", role: "alert" });
  const root = element(
    "div",
    { class: "result" },
    element("p", { class: "before" }, hint),
    progress,
    element("div", { class: "after" }, inside, outcome),
    alert,
  );

  function show(result: Outcome | undefined): void {
    root.className = `result ${result?.tone ?? ""}`;
    outcome.textContent = result?.text ?? "";
    inside.hidden = result?.inside === undefined;
    here.textContent = result?.inside?.here ?? "";
    elsewhere.textContent = result?.inside?.elsewhere ?? "";
  }

  return {
    root,
    show(result) {
      show(result);
      // The button that was pressed may be far below.
      if (result.text !== "") root.scrollIntoView({ block: "nearest" });
    },
    showError(text) {
      alert.textContent = text;
    },
    clear() {
      show(undefined);
      alert.textContent = "";
    },
    toText: () =>
      [
        outcome.textContent,
        inside.hidden
          ? ""
          : [...inside.children]
              .map((row) => [...row.children].map(({ textContent }) => textContent).join(": "))
              .join("\n"),
      ]
        .filter(Boolean)
        .join("\n"),
  };
}
