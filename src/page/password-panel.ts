import type { Client, User } from "../client/index.ts";
import type { Connection } from "./connection.ts";
import { createHeading, element } from "./dom.ts";
import { createField } from "./field.ts";
import { createForm } from "./form.ts";

/** Creates a panel with the form that changes the password, which logs out every other device. */
export function createPasswordPanel(client: Client, { username }: User, connection: Connection): HTMLElement {
  const current = createField({
    label: "Current password",
    name: "current_password",
    type: "password",
    autocomplete: "current-password",
    missing: "Please enter your current password.",
  });
  const next = createField({
    label: "New password",
    name: "new_password",
    type: "password",
    autocomplete: "new-password",
    hint: "Use several words. It must not contain your username.",
    missing: "Please enter a new password.",
  });
  // Tells password managers which user's password is changed.
  const owner = element("input", { type: "text", autocomplete: "username", value: username, hidden: "", readonly: "" });
  const form = createForm({
    fields: [current, next],
    more: [owner],
    submit: "Change password",
    async onSubmit() {
      const passwords = { currentPassword: current.input.value, newPassword: next.input.value };
      await connection.watch(client.changePassword(passwords));
      form.reset();
      return "Password changed. All other devices were logged out.";
    },
  });
  return element("section", { class: "card" }, createHeading("h2", "Change password"), form);
}
