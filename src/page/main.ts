import { createClient, type SessionState } from "../client/index.ts";
import { createAccountView } from "./account-view.ts";
import { watchConnection } from "./connection.ts";
import { element } from "./dom.ts";
import { createLoginView } from "./login-view.ts";
import { logoutMessages, replacedMessage } from "./messages.ts";
import { readSettings } from "./settings.ts";
import type { View } from "./view.ts";

const find = (selector: string): HTMLElement => {
  const found = document.querySelector<HTMLElement>(selector);
  if (found === null) throw new Error(`index.html has no ${selector}`);
  return found;
};

const settings = readSettings(document.documentElement.dataset);
const { authPath, csrfCookie, csrfHeaderName } = settings;
const client = createClient({ authPath, csrfCookie, ...(csrfHeaderName && { csrfHeader: csrfHeaderName }) });
const connection = watchConnection(client, find(".banner"));
const [main, announcer] = [find("main"), find(".announcer")];

let view: View | undefined;
let shown: string | undefined;
let shownUserId: string | undefined;

function createView({ user, reason }: SessionState): View {
  return user ? createAccountView(client, user, connection, settings) : createLoginView(client, reason);
}

/** Shows the view for a state. The client also calls it after changes in other tabs. */
function show(state: SessionState): void {
  const { status, user, sessionId, reason } = state;
  if (status === "loading" || shown === (sessionId ?? status)) return;
  const isFirst = shown === undefined;
  const isReplaced = user !== undefined && shownUserId !== undefined && user.id !== shownUserId;
  shown = sessionId ?? status;
  shownUserId = user?.id;
  view?.dispose();
  view = createView(state);
  main.replaceChildren(...(isReplaced ? [element("p", { class: "notice" }, replacedMessage)] : []), view.root);
  document.title = user ? `${user.username} · tokenpair` : "Log in · tokenpair";
  announcer.textContent = reason ? logoutMessages[reason] : isReplaced ? replacedMessage : "";
  // A page that has just been opened keeps the focus at its start, except for the login form.
  if (!isFirst || !user) view.focus();
}

client.onChange(show);
show(client.session());
