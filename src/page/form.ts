import { ClientError } from "../client/index.ts";
import { type Content, element, whileBusy } from "./dom.ts";
import type { Field } from "./field.ts";
import { toMessage } from "./messages.ts";

/** The options of a form. */
export interface FormOptions {
  readonly fields: readonly Field[];
  /** The elements between the fields and the button. */
  readonly more?: readonly Content[];
  /** The text of the button. */
  readonly submit: string;
  /** Sends the form. Returns the text to show after success. Errors are shown next to their fields, or below the form. */
  readonly onSubmit: () => Promise<string>;
}

/**
 * Creates a form that shows errors next to their fields and focuses the first one. Its method is POST, so that a password
 * never gets into a URL if the script isn't running.
 */
export function createForm({ fields, more = [], submit, onSubmit }: FormOptions): HTMLFormElement {
  const button = element("button", { type: "submit", class: "primary" }, submit);
  const alert = element("p", { class: "message error", role: "alert" });
  const status = element("p", { class: "message", role: "status" });
  const form = element(
    "form",
    { method: "post", novalidate: "" },
    ...fields.map((field) => field.root),
    ...more,
    element("div", { class: "submit" }, button, element("div", { class: "messages" }, alert, status)),
  );

  function showErrors(errors: ReadonlyMap<string, string>): void {
    for (const field of fields) field.showError(errors.get(field.name));
    const first = fields.find(({ name }) => errors.has(name));
    first?.input.focus();
    first?.input.select();
  }

  async function submitForm(): Promise<void> {
    alert.textContent = "";
    status.textContent = "";
    for (const field of fields) field.maskPassword();
    const empty = fields.filter(({ input }) => input.value === "");
    showErrors(new Map(empty.map(({ name, missing }) => [name, missing])));
    if (empty.length > 0) return;
    try {
      status.textContent = await onSubmit();
    } catch (error) {
      const errors = toFieldErrors(error);
      showErrors(errors);
      const isShown = fields.some(({ name }) => errors.has(name));
      if (!isShown) alert.textContent = toMessage(error);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void whileBusy(button, submitForm);
  });
  return form;
}

function toFieldErrors(error: unknown): ReadonlyMap<string, string> {
  const fields = error instanceof ClientError ? Object.entries(error.fields ?? {}) : [];
  return new Map(fields.map(([name, messages]) => [name, messages.join(" ")]));
}
