import type { Client } from "../client/index.ts";
import type { Connection } from "./connection.ts";
import { createDeviceList } from "./device-list.ts";
import { toTitle } from "./device-row.ts";
import { createButton, createHeading, element } from "./dom.ts";
import { toMessage, toProblem } from "./messages.ts";
import type { View } from "./view.ts";

/** How often the list is read anew while somebody looks at it, and how soon after a failure. Milliseconds. */
const interval = 30_000;
const retryInterval = 3_000;

/** Where the user is logged in, with rename and log out for each device, and for all. */
export function createDevicesPanel(client: Client, connection: Connection): Pick<View, "root" | "dispose"> {
  const heading = createHeading("h2", "Your devices");
  const done = element("p", { class: "message", role: "status" });
  const alert = element("p", { class: "message error", role: "alert" });
  let loads = 0;
  let timer: number | undefined;
  let isDisposed = false;

  /** The newest answer counts: an older one may still name a device that has ended. */
  async function load(): Promise<void> {
    loads += 1;
    const ownLoad = loads;
    const isOutdated = () => isDisposed || ownLoad !== loads;
    try {
      const devices = await client.sessions.list();
      if (isOutdated()) return;
      list.show(devices);
      connection.report(undefined);
      loadAfter(interval);
    } catch (error) {
      if (isOutdated()) return;
      connection.report(error);
      if (toProblem(error) === undefined) alert.textContent = toMessage(error);
      loadAfter(retryInterval);
    }
  }

  function loadAfter(delay: number): void {
    clearTimeout(timer);
    timer = setTimeout(loadIfVisible, delay);
  }

  /** A hidden page asks nothing; it loads when it is seen again. */
  function loadIfVisible(): void {
    if (document.visibilityState === "visible") void load();
  }

  /** Runs what changes something, says how it went, and reads the list anew. Answers whether it worked. */
  async function change(run: () => Promise<unknown>, text: string): Promise<boolean> {
    done.textContent = "";
    alert.textContent = "";
    const failure = await run().then(
      () => undefined,
      (error: unknown) => toMessage(error),
    );
    if (failure === undefined) done.textContent = text;
    else alert.textContent = failure;
    if (client.session().status === "authenticated") await load();
    return failure === undefined;
  }

  const list = createDeviceList({
    rename: (device, label) => change(() => client.sessions.label(device.id, label), "Renamed."),
    async logOut(device) {
      const end = () => (device.current ? client.logout() : client.sessions.end(device.id));
      await change(end, `${toTitle(device)} is logged out.`);
      if (!list.has(device)) heading.focus();
    },
  });
  const logOutOthers = () => change(() => client.logout("others"), "All other devices are logged out.");
  const logOutEverywhere = () => change(() => client.logout("all"), "");

  document.addEventListener("visibilitychange", loadIfVisible);
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
        createButton("Log out all others", logOutOthers),
        createButton("Log out everywhere", logOutEverywhere),
      ),
      element("div", { class: "messages" }, alert, done),
    ),
    dispose() {
      isDisposed = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", loadIfVisible);
    },
  };
}
