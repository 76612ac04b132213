import type { Client, SessionInfo } from "../client/index.ts";
import { createHeading, element } from "./dom.ts";
import { toClockText, toDateTime } from "./time.ts";
import type { View } from "./view.ts";

/** The panel of the session. */
export interface SessionPanel extends Pick<View, "root" | "dispose"> {
  /** Shows when the session began and when it expires. */
  readonly show: (session: Pick<SessionInfo, "createdAt" | "expiresAt">) => void;
}

/** Creates a panel that counts down to the expiry of the access token and to the next refresh. */
export function createSessionPanel(client: Client): SessionPanel {
  const expiry = createFigure("Access token expires in");
  const refresh = createFigure("Next refresh in");
  const createdAt = element("dd", {}, "–");
  const expiresAt = element("dd", {}, "–");

  function tick(): void {
    const countdown = client.countdown();
    if (countdown === undefined) return;
    expiry.show(toClockText(countdown.accessExpiresIn));
    refresh.show(toClockText(countdown.refreshIn));
  }

  tick();
  const timer = setInterval(tick, 250);
  return {
    root: element(
      "section",
      { class: "card" },
      createHeading("h2", "This session"),
      element("div", { class: "figures", role: "timer" }, expiry.root, refresh.root),
      element(
        "dl",
        { class: "facts" },
        element("dt", {}, "Logged in"),
        createdAt,
        element("dt", {}, "Expires, if it isn't used"),
        expiresAt,
      ),
      element(
        "p",
        { class: "quiet" },
        "The tokens are in HttpOnly cookies, which no script can read, not even this page's.",
      ),
    ),
    show(session) {
      createdAt.replaceChildren(toDateTime(session.createdAt));
      expiresAt.replaceChildren(toDateTime(session.expiresAt));
    },
    dispose: () => clearInterval(timer),
  };
}

function createFigure(label: string) {
  const value = element("span", { class: "figure" }, "–:––");
  return {
    root: element("p", { class: "quiet" }, label, " ", value),
    show(text: string): void {
      if (value.textContent !== text) value.textContent = text;
    },
  };
}
