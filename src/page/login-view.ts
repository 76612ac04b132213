import { type Client, ClientError, type LogoutReason } from "../client/index.ts";
import { createHeading, element } from "./dom.ts";
import { createField } from "./field.ts";
import { createForm } from "./form.ts";
import { logoutMessages, toMessage } from "./messages.ts";
import type { View } from "./view.ts";

/** Creates the view with the login form. `reason` says why the user is no longer logged in. */
export function createLoginView(client: Client, reason: LogoutReason | undefined): View {
  const username = createField({
    ...{ label: "Username", name: "username", type: "text", autocomplete: "username" },
    missing: "Please enter your username.",
  });
  const password = createField({
    ...{ label: "Password", name: "password", type: "password", autocomplete: "current-password" },
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
  const notice = reason ? [element("p", { class: "notice" }, logoutMessages[reason])] : [];
  return {
    root: element("section", { class: "card login" }, createHeading("h1", "Log in"), ...notice, form),
    focus: () => username.input.focus(),
    dispose: () => undefined,
  };
}
