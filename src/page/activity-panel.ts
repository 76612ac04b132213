import type { Client, SessionInfo } from "../client/index.ts";
import { toDeviceName } from "./device-name.ts";
import { createButton, createHeading, element } from "./dom.ts";
import { toDateTime } from "./time.ts";

/** An entry of the account's history, as the server sends it. */
interface Entry {
  readonly id: number;
  readonly time: number;
  readonly type: string;
  readonly detail: string | null;
  readonly current: boolean;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly by_other: boolean;
}

/** The panel of what happened to the account. */
export interface ActivityPanel {
  readonly root: HTMLElement;
  /** Loads the history, if the list of devices isn't the one of the last time. */
  readonly loadIfChanged: (devices: readonly SessionInfo[]) => void;
}

/** How many entries are shown at first. */
const shownAtFirst = 5;

const texts: Readonly<Record<string, string>> = {
  login: "Logged in",
  new_device: "First login on this device",
  login_failed: "A login failed",
  login_pending: "A login waits for its second step",
  session_confirmed: "Password confirmed",
  throttled: "Too many logins: refused",
  unlocked: "Unlocked after failed logins",
  csrf_refused: "A request from another site was refused",
  "refresh reuse_detected": "An old token was used again: the session was revoked",
  "user_changed created": "Account created",
  "user_changed imported": "Account imported",
  "user_changed updated": "Account changed",
  "user_changed disabled": "Account disabled",
  "user_changed enabled": "Account enabled",
  "user_changed password_changed": "Password changed",
  "sessions_revoked logout": "Logged out",
  "sessions_revoked replaced": "Replaced by a new login in the same browser",
  "sessions_revoked reuse": "Logged out: an old token was used again",
  "sessions_revoked revoked": "Logged out remotely",
  "sessions_revoked password_changed": "Other devices logged out, after a new password",
  "sessions_revoked user_disabled": "All devices logged out",
};

/** What the user should look at. */
const alarming = new Set(["refresh reuse_detected", "sessions_revoked reuse"]);

/** Returns what happened, in words; `undefined` if it means nothing to the user. */
export function toActivityText({ type, detail }: Pick<Entry, "type" | "detail">): string | undefined {
  return texts[`${type} ${detail}`] ?? texts[type];
}

/** Creates the panel. `onNotYou` logs out the other devices, and leads to the form for a new password. */
export function createActivityPanel(client: Client, path: string, onNotYou: () => Promise<boolean>): ActivityPanel {
  const list = element("ol", { class: "activity" });
  const status = element("p", { class: "message", role: "status" });
  let entries: readonly Entry[] = [];
  let isOpen = false;
  let known = "";

  const more = createButton("Show all", () => {
    isOpen = true;
    show();
  });

  function show(): void {
    const shown = entries.flatMap((entry) => {
      const text = toActivityText(entry);
      return text === undefined ? [] : [{ ...entry, text }];
    });
    more.hidden = isOpen || shown.length <= shownAtFirst;
    list.replaceChildren(
      ...shown.slice(0, isOpen ? shown.length : shownAtFirst).map((entry) => {
        const device = entry.user_agent === null ? [] : [toDeviceName(entry.user_agent)];
        const by = entry.by_other ? ["by staff"] : [];
        const details = [...device, ...(entry.ip === null ? [] : [entry.ip]), ...by].join(" · ");
        const isAlarming = alarming.has(`${entry.type} ${entry.detail}`);
        return element(
          "li",
          { class: isAlarming ? "alarming" : undefined },
          element("p", {}, entry.text, entry.current ? " " : "", ...(entry.current ? [createBadge()] : [])),
          element("p", { class: "quiet" }, toDateTime(entry.time), details === "" ? "" : ` · ${details}`),
        );
      }),
    );
    if (shown.length === 0) list.replaceChildren(element("li", { class: "quiet" }, "Nothing is recorded yet."));
  }

  async function load(): Promise<void> {
    const response = await client.fetch(path).catch(() => undefined);
    if (!response?.ok) return;
    ({ events: entries } = (await response.json()) as { readonly events: readonly Entry[] });
    show();
  }

  const notYou = createButton(
    "This wasn't me",
    async () => {
      status.textContent = (await onNotYou()) ? "All other devices were logged out. Choose a new password now." : "";
    },
    { "aria-describedby": "not-you" },
  );

  return {
    root: element(
      "section",
      { class: "card" },
      createHeading("h2", "Security history"),
      list,
      element("div", { class: "actions" }, more, notYou),
      element(
        "p",
        { class: "quiet", id: "not-you" },
        "“This wasn't me” logs out all other devices, and leads to a new password.",
      ),
      status,
    ),
    loadIfChanged(devices) {
      const ids = devices.map(({ id }) => id).join();
      if (ids === known) return;
      known = ids;
      void load();
    },
  };
}

const createBadge = () => element("span", { class: "badge" }, "This session");
