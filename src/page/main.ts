import { createClient, type SessionState, watchSession } from "../client/index.ts";
import { createAccountView } from "./account-view.ts";
import { watchConnection } from "./connection.ts";
import type { DemoView } from "./demo/demo-view.ts";
import { element } from "./dom.ts";
import { createLoginView } from "./login-view.ts";
import { replacedMessage, toLogoutMessage } from "./messages.ts";
import { readSettings } from "./settings.ts";
import type { View } from "./view.ts";

const find = (selector: string): HTMLElement => {
  const found = document.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`index.html has no ${selector}`);
  return found;
};

const settings = readSettings(document.documentElement.dataset);
const { authPath, csrfCookie, csrfHeaderName, hasDemo } = settings;
// Loaded only if the server has the demonstration, so that the page stays small.
const demo = hasDemo ? await import("./demo/index.ts") : undefined;
const isSecondTab = demo !== undefined && location.hash === demo.secondTabHash;
const client = createClient({
  authPath,
  csrfCookie,
  ...(csrfHeaderName && { csrfHeader: csrfHeaderName }),
  ...(isSecondTab && { fetch: demo.markedFetch }),
});
const connection = watchConnection(client, find(".banner"));
const [main, announcer, nav] = [find("main"), find(".announcer"), find("nav")];

let view: View | undefined;
let demoView: DemoView | undefined;
/** What is shown: the part of the page, and the session or the status. */
let shown: string | undefined;
let shownUserId: string | undefined;
/** Why the server says that the session ended. */
let end: string | null | undefined;

const loginHint = hasDemo
  ? "Log in, and see what an attacker can do with a stolen token. The name and the password are in the terminal, from the server's first start."
  : undefined;

const isDemoShown = () => demo !== undefined && !isSecondTab && location.hash !== "#account";

function createView({ user, reason }: SessionState): View {
  if (user === undefined) return createLoginView(client, reason && toLogoutMessage(reason, end), loginHint);
  if (isSecondTab) return demo.createSecondTab(client, `${authPath}/me/`);
  if (demo === undefined || !isDemoShown()) return createAccountView(client, user, connection, settings);
  demoView = demo.createDemoView({ client, authPath, csrfHeader: csrfHeaderName ?? "X-CSRFToken" });
  demoView.begin();
  return demoView;
}

function replaceView(state: SessionState, notices: readonly HTMLElement[]): void {
  view?.dispose();
  demoView = undefined;
  view = createView(state);
  main.replaceChildren(...notices, view.root);
}

/** Shows the view for a state. The client also calls it after changes in other tabs. */
function show(state: SessionState): void {
  const { status, user, sessionId, reason } = state;
  const part = isDemoShown() ? "demo" : "account";
  const next = `${part} ${sessionId ?? status}`;
  if (status === "loading" || shown === next) return;
  const isFirst = shown === undefined;
  const isReplaced = user !== undefined && shownUserId !== undefined && user.id !== shownUserId;
  shown = next;
  shownUserId = user?.id;
  const message = reason && toLogoutMessage(reason, end);
  const before = view;
  if (demoView !== undefined && part === "demo") {
    // The timeline stays when its session is over.
    if (user) demoView.begin();
    else if (reason === "logged_out") replaceView(state, []);
    else demoView.loggedOut(message?.split(". ")[0] ?? "");
  } else if (isSecondTab && view !== undefined && !user) {
    // It says itself that it is logged out.
  } else replaceView(state, isReplaced ? [element("p", { class: "notice" }, replacedMessage)] : []);
  if (user) end = undefined;
  nav.hidden = !hasDemo || isSecondTab || (!user && demoView === undefined);
  for (const link of nav.querySelectorAll("a")) {
    const isCurrent = link.hash === (part === "demo" ? "#try" : "#account");
    if (isCurrent) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${part === "demo" && demoView ? "Try it" : (user?.username ?? "Log in")} · tokenpair`;
  announcer.textContent = message ?? (isReplaced ? replacedMessage : "");
  // A page that has just been opened keeps the focus at its start, except for the login form.
  if (view !== before && (!isFirst || !user)) view?.focus();
}

// Before `show` listens, so that the reason is known when the state changes.
watchSession(client, {
  authPath,
  onEnd({ reason }) {
    end = reason;
  },
});
client.onChange(show);
addEventListener("hashchange", () => show(client.session()));
show(client.session());
