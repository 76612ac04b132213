import { ClientError } from "../client/index.ts";
import { type Content, element, whileBusy } from "./dom.ts";
import type { Field } from "./field.ts";
import { toMessage } from "./messages.ts";

export interface FormOptions {
  readonly fields: readonly Field[];
  /** Between the fields and the button. */
  readonly more?: readonly Content[];
  readonly submit: string;
  /** Does what the form is for, and says so. What it throws is shown: beside the fields that it names, or as a whole. */
  readonly onSubmit: () => Promise<string>;
}

/**
 * A form that says what is wrong where it is wrong, and moves the focus there. Its method is POST, so that not even a
 * form without its script puts a password into a URL.
 */
export function createForm({ fields, more = [], submit, onSubmit }: FormOptions): HTMLFormElement {
  const button = element("button", { type: "submit", class: "primary" }, submit);
  const alert = element("p", { class: "message error", role: "alert" });
  const done = element("p", { class: "message", role: "status" });
  const form = element(
    "form",
    { method: "post", novalidate: "" },
    ...fields.map((field) => field.root),
    ...more,
    element("div", { class: "submit" }, button, element("div", { class: "messages" }, alert, done)),
  );

  function showErrors(errors: ReadonlyMap<string, string>): void {
    for (const field of fields) field.showError(errors.get(field.name));
    const first = fields.find(({ name }) => errors.has(name));
    first?.input.focus();
    first?.input.select();
  }

  async function run(): Promise<void> {
    alert.textContent = "";
    done.textContent = "";
    for (const field of fields) field.conceal();
    const empty = fields.filter(({ input }) => input.value === "");
    showErrors(new Map(empty.map(({ name, missing }) => [name, missing])));
    if (empty.length > 0) return;
    try {
      done.textContent = await onSubmit();
    } catch (error) {
      const errors = toFieldErrors(error);
      showErrors(errors);
      const isAllSaid = fields.some(({ name }) => errors.has(name));
      if (!isAllSaid) alert.textContent = toMessage(error);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void whileBusy(button, run);
  });
  return form;
}

function toFieldErrors(error: unknown): ReadonlyMap<string, string> {
  const fields = error instanceof ClientError ? Object.entries(error.fields ?? {}) : [];
  return new Map(fields.map(([name, messages]) => [name, messages.join(" ")]));
}
