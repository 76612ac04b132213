import { type Client, type SessionInfo, userSessions } from "../client/index.ts";
import type { Connection } from "./connection.ts";
import { createDeviceList } from "./device-list.ts";
import { toTitle } from "./device-row.ts";
import { createButton, createHeading, element } from "./dom.ts";
import { toMessage, toProblem } from "./messages.ts";
import type { View } from "./view.ts";

/** How often the list is reloaded while the page is visible, and while there is a problem with the connection. Milliseconds. */
const reloadInterval = 30_000;
const retryInterval = 3_000;

/** The panel of the devices. */
export interface DevicesPanel extends Pick<View, "root" | "dispose"> {
  /** Logs out all other devices. Returns whether it succeeded. */
  readonly logOutOthers: () => Promise<boolean>;
}

/**
 * Creates a panel that lists the user's devices, with buttons to rename them and to log them out. `onLoaded` is called with the
 * list.
 */
export function createDevicesPanel(
  client: Client,
  connection: Connection,
  onLoaded: (devices: readonly SessionInfo[]) => void,
): DevicesPanel {
  const sessions = userSessions(client);
  const heading = createHeading("h2", "Your devices");
  const status = element("p", { class: "message", role: "status" });
  const alert = element("p", { class: "message error", role: "alert" });
  let loads = 0;
  let pendingLoads = 0;
  /** When the list was loaded, on the page's clock. */
  let loadedAt = -Infinity;
  let isDisposed = false;

  /**
   * Loads the list. Only the newest response is used, because an older one may contain a device that has been logged out
   * since.
   */
  async function load(): Promise<void> {
    loads += 1;
    pendingLoads += 1;
    const ownLoad = loads;
    const isOutdated = () => isDisposed || ownLoad !== loads;
    try {
      const devices = await sessions.list();
      if (isOutdated()) return;
      list.show(devices);
      othersButton.hidden = devices.length < 2;
      onLoaded(devices);
      connection.report(undefined);
      loadedAt = performance.now();
    } catch (error) {
      if (isOutdated()) return;
      connection.report(error);
      if (toProblem(error) === undefined) alert.textContent = toMessage(error);
      loadedAt = -Infinity;
    } finally {
      pendingLoads -= 1;
    }
  }

  /** Also retries after a request of another panel has failed, so that the page notices when the server is back. */
  function loadIfDue(): void {
    const isDue = connection.hasProblem() || performance.now() - loadedAt >= reloadInterval;
    if (isDue && pendingLoads === 0) loadIfVisible();
  }

  /**
   * Loads the list if the page is visible. A hidden page sends no requests. It loads the list when it becomes visible
   * again.
   */
  function loadIfVisible(): void {
    if (document.visibilityState === "visible") void load();
  }

  /** Runs an action, shows `text` or the error, and reloads the list. Returns whether the action succeeded. */
  async function act(action: () => Promise<unknown>, text: string): Promise<boolean> {
    status.textContent = "";
    alert.textContent = "";
    const failure = await action().then(
      () => undefined,
      (error: unknown) => toMessage(error),
    );
    if (failure === undefined) status.textContent = text;
    else alert.textContent = failure;
    if (client.session().status === "authenticated") await load();
    return failure === undefined;
  }

  const list = createDeviceList({
    rename: (device, label) => act(() => sessions.label(device.id, label), "Device renamed."),
    async logOut(device) {
      const revoke = () => (device.current ? client.logout() : sessions.revoke(device.id));
      await act(revoke, `${toTitle(device)} was logged out.`);
      if (!list.has(device)) heading.focus();
    },
  });
  const logOutOthers = (text = "") => act(() => client.logout("others"), text);
  const logOutEverywhere = () => act(() => client.logout("all"), "");

  const othersButton = createButton(
    "Log out all other devices",
    async () => {
      await logOutOthers("All other devices were logged out.");
      // A hidden button loses the focus.
      if (othersButton.hidden) heading.focus();
    },
    { hidden: "" },
  );
  document.addEventListener("visibilitychange", loadIfVisible);
  const timer = setInterval(loadIfDue, retryInterval);
  void load();
  return {
    root: element(
      "section",
      { class: "card" },
      heading,
      list.root,
      element(
        "div",
        { class: "actions" },
        othersButton,
        createButton("Log out everywhere, here too", logOutEverywhere),
      ),
      element("div", { class: "messages" }, alert, status),
    ),
    logOutOthers: () => logOutOthers(),
    dispose() {
      isDisposed = true;
      clearInterval(timer);
      document.removeEventListener("visibilitychange", loadIfVisible);
    },
  };
}
