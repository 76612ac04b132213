import { type RefreshTrace, trace } from "../core/tracing.ts";
import { login } from "./login.ts";
import { refresh, refreshVerified } from "./refresh/refresh.ts";
import type { Refreshed } from "./refresh/report.ts";

/** Logs a user in, and publishes it on the tracing channel. */
export const traceLogin: typeof login = (...args) =>
  trace(
    "tokenpair:login",
    {},
    () => login(...args),
    (message, { session }) => {
      message.userId = session.userId;
      message.sessionId = session.id;
    },
  );

/** Refreshes, and publishes it on the tracing channel. */
export const traceRefresh: typeof refresh = (...args) =>
  trace("tokenpair:refresh", {}, () => refresh(...args), addOutcome);

/** Refreshes with a verified token, and publishes it on the tracing channel. */
export const traceVerifiedRefresh: typeof refreshVerified = (...args) =>
  trace("tokenpair:refresh", {}, () => refreshVerified(...args), addOutcome);

function addOutcome(message: RefreshTrace, { outcome, session }: Refreshed): void {
  message.outcome = outcome;
  message.sessionId = session.id;
}
