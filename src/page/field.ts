import { createButton, element } from "./dom.ts";

/** The options of a field. */
export interface FieldOptions {
  readonly label: string;
  /** The field's name in the API. It is also the element's id, so it must be unique on the page. */
  readonly name: string;
  readonly type: "text" | "password";
  /** The `autocomplete` attribute, which says what password managers should fill in. */
  readonly autocomplete: "username" | "current-password" | "new-password";
  /** The text below the field while there is no error. */
  readonly hint?: string;
  /** The error to show if the field is empty. */
  readonly missing: string;
}

/** A labelled input that can show an error. */
export interface Field {
  readonly name: string;
  readonly root: HTMLElement;
  readonly input: HTMLInputElement;
  readonly missing: string;
  /** Shows an error, or removes it if `text` is `undefined`. */
  readonly showError: (text: string | undefined) => void;
  /** Masks a password that is shown as text. */
  readonly maskPassword: () => void;
}

/** Creates a field. Passwords get a button that shows and hides them. */
export function createField({ label, name, type, autocomplete, hint, missing }: FieldOptions): Field {
  const noteId = `${name}-note`;
  const note = element("p", { class: "note", id: noteId, "aria-live": "assertive" }, hint ?? "");
  const input = element("input", {
    id: name,
    name,
    type,
    autocomplete,
    autocapitalize: "none",
    spellcheck: "false",
    required: "",
    "aria-describedby": noteId,
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
    maskPassword: () => type === "password" && setRevealed(false),
  };
}
