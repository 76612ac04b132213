import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import type { HttpDeps } from "../endpoint.ts";
import type { HeaderSource } from "../request/headers.ts";
import { readCookies } from "./cookies.ts";
import { findPresentedSession } from "./presented-session.ts";

/** Reports `error`, where it is a CSRF refusal, with the session that the request's cookies name. */
export function reportCsrfRefusal(deps: HttpDeps, error: unknown, headers: HeaderSource, client: ClientInfo): void {
  if (!(error instanceof AuthError) || error.code !== "csrf_failed") return;
  const session = findPresentedSession(deps, readCookies(headers, deps.settings));
  // The claims hold more than an event may.
  const subject = session === null ? {} : { userId: session.userId, sessionId: session.sessionId };
  deps.emit({ type: "csrf_refused", time: deps.clock.now(), reason: error.reason, client, ...subject });
}
