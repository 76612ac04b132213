import type { Client, User } from "../client/index.ts";
import { createActivityPanel } from "./activity-panel.ts";
import { createApiPanel } from "./api-panel.ts";
import type { Connection } from "./connection.ts";
import { createDevicesPanel } from "./devices-panel.ts";
import { createButton, createHeading, element } from "./dom.ts";
import { toMessage } from "./messages.ts";
import { createPasswordPanel } from "./password-panel.ts";
import { createSessionPanel } from "./session-panel.ts";
import type { PageSettings } from "./settings.ts";
import type { View } from "./view.ts";

/** Creates the view for a logged-in user: the name, the session, the devices and the password form. */
export function createAccountView(client: Client, user: User, connection: Connection, settings: PageSettings): View {
  const heading = createHeading("h1", user.username);
  const alert = element("p", { class: "message error", role: "alert" });
  const session = createSessionPanel(client);
  const devices = createDevicesPanel(client, connection, (list) => {
    const own = list.find(({ current }) => current);
    if (own) session.show(own);
    activity.loadIfChanged(list);
  });
  const password = settings.hasPasswords ? createPasswordPanel(client, user, connection) : undefined;
  const activity = createActivityPanel(client, `${settings.authPath}/activity/`, async () => {
    const isDone = await devices.logOutOthers();
    if (isDone) password?.querySelector("input")?.focus();
    return isDone;
  });

  async function logOut(): Promise<void> {
    alert.textContent = "";
    await connection.watch(client.logout()).catch((error: unknown) => {
      alert.textContent = toMessage(error);
    });
  }

  return {
    root: element(
      "div",
      { class: "account" },
      element(
        "header",
        { class: "who" },
        element("span", { class: "initial", "aria-hidden": "true" }, [...user.username][0]?.toUpperCase() ?? ""),
        element("div", {}, element("p", { class: "quiet" }, "Logged in as"), heading),
        element("div", { class: "leave" }, createButton("Log out", logOut), alert),
      ),
      element("div", { class: "column" }, session.root, activity.root),
      element(
        "div",
        { class: "column" },
        devices.root,
        ...(password ? [password] : []),
        createApiPanel(client, `${settings.authPath}/me/`, connection),
      ),
    ),
    focus: () => heading.focus(),
    dispose() {
      session.dispose();
      devices.dispose();
    },
  };
}
