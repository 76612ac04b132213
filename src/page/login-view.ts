import { type Client, ClientError } from "../client/index.ts";
import { createHeading, element } from "./dom.ts";
import { createField } from "./field.ts";
import { createForm } from "./form.ts";
import { toMessage } from "./messages.ts";
import type { View } from "./view.ts";

/** Creates the view with the login form. `notice` says why the user is no longer logged in. */
export function createLoginView(client: Client, notice: string | undefined, hint?: string): View {
  const username = createField({
    label: "Username",
    name: "username",
    type: "text",
    autocomplete: "username",
    missing: "Please enter your username.",
  });
  const password = createField({
    label: "Password",
    name: "password",
    type: "password",
    autocomplete: "current-password",
    missing: "Please enter your password.",
  });
  const remember = element("input", { type: "checkbox", name: "remember", checked: "" });

  async function logIn(): Promise<string> {
    try {
      await client.login({
        username: username.input.value,
        password: password.input.value,
        remember: remember.checked,
      });
      return "";
    } catch (error) {
      if (!(error instanceof ClientError && error.code === "no_active_account")) throw error;
      throw new ClientError(error.code, error.message, { fields: { password: [toMessage(error)] } });
    }
  }

  const form = createForm({
    fields: [username, password],
    more: [element("label", { class: "check" }, remember, "Stay logged in on this device")],
    submit: "Log in",
    onSubmit: logIn,
  });
  const notices = notice ? [element("p", { class: "notice" }, notice)] : [];
  const hints = hint ? [element("p", { class: "quiet" }, hint)] : [];
  return {
    root: element("section", { class: "card login" }, createHeading("h1", "Log in"), ...notices, ...hints, form),
    focus: () => username.input.focus(),
    dispose: () => undefined,
  };
}
