import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import { withActor } from "../../flows/sessions/actor.ts";
import type { HttpDeps } from "../endpoint.ts";
import type { HeaderSource } from "../request/headers.ts";
import { type CookieSession, findCookieSession } from "./cookie-session.ts";
import { readSessionCookies } from "./refresh-cookie.ts";

/**
 * Emits `csrf_refused` if `error` is a CSRF refusal. The event contains the session that the request's cookies belong to.
 */
export function reportCsrfRefusal(
  deps: Pick<HttpDeps, "settings" | "tokens" | "keys" | "clock" | "emit">,
  error: unknown,
  { headers, client }: { readonly headers: HeaderSource; readonly client: ClientInfo },
): void {
  if (!(error instanceof AuthError) || error.code !== "csrf_failed") return;
  const event = { type: "csrf_refused", time: deps.clock.now(), reason: error.reason } as const;
  const { actor = null, ...owner } = findSession(deps, headers) ?? {};
  deps.emit({ ...event, client: withActor(client, actor), ...owner });
}

function findSession(deps: Parameters<typeof reportCsrfRefusal>[0], headers: HeaderSource): CookieSession | null {
  try {
    return findCookieSession(deps, readSessionCookies(deps, headers));
  } catch (error) {
    // The keys aren't known any more.
    if (error instanceof AuthError) return null;
    throw error;
  }
}
