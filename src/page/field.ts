import { createButton, element } from "./dom.ts";

export interface FieldOptions {
  readonly label: string;
  /** The server's name of the field; also its id, so unique on the page. */
  readonly name: string;
  readonly type: "text" | "password";
  /** Tells a password manager what belongs here. */
  readonly autocomplete: "username" | "current-password" | "new-password";
  readonly hint?: string;
  /** Shown where the field is left empty. */
  readonly missing: string;
}

/** A labelled input with room for what is wrong with it. */
export interface Field {
  readonly name: string;
  readonly root: HTMLElement;
  readonly input: HTMLInputElement;
  readonly missing: string;
  /** Shows what is wrong, or, with `undefined`, that nothing is. */
  readonly showError: (text: string | undefined) => void;
  /** Hides a password that is shown. */
  readonly conceal: () => void;
}

export function createField({ label, name, type, autocomplete, hint, missing }: FieldOptions): Field {
  const noteId = `${name}-note`;
  const note = element("p", { class: "note", id: noteId, "aria-live": "assertive" }, hint ?? "");
  const input = element("input", {
    ...{ id: name, name, type, autocomplete, autocapitalize: "none", spellcheck: "false" },
    ...{ required: "", "aria-describedby": noteId },
  });
  const reveal = createButton("Show", () => setRevealed(input.type === "password"), { class: "reveal" });
  const setRevealed = (revealed: boolean) => {
    input.type = revealed ? "text" : "password";
    reveal.textContent = revealed ? "Hide" : "Show";
    reveal.setAttribute("aria-label", `${revealed ? "Hide" : "Show"} ${label.toLowerCase()}`);
  };
  if (type === "password") setRevealed(false);
  const box = element("div", { class: "input" }, input, ...(type === "password" ? [reveal] : []));
  return {
    name,
    root: element("div", { class: "field" }, element("label", { for: name }, label), box, note),
    input,
    missing,
    showError(text) {
      note.textContent = text ?? hint ?? "";
      note.classList.toggle("error", text !== undefined);
      if (text === undefined) input.removeAttribute("aria-invalid");
      else input.setAttribute("aria-invalid", "true");
    },
    conceal: () => type === "password" && setRevealed(false),
  };
}
