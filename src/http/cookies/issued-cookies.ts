import type { TokenPair } from "../../core/claims.ts";
import type { Session } from "../../core/session.ts";
import type { HttpDeps } from "../endpoint.ts";
import { toDeviceCookie, toSessionCookies } from "./cookies.ts";
import { deriveCsrfToken } from "./csrf-token.ts";

/** A session whose tokens a browser gets. */
export interface IssuedSession {
  readonly session: Pick<Session, "id" | "generation" | "persistent">;
  /** The tokens. Without `refresh`, the browser keeps the refresh cookie that it has. */
  readonly pair: Omit<TokenPair, "refresh"> & { readonly refresh?: string };
  /** The token of a known device; missing if the browser keeps the one that it has. */
  readonly device?: string | undefined;
}

/**
 * Prepares the `Set-Cookie` headers of the access, refresh, CSRF and device cookies. Call it before the change that issues the
 * tokens: the keys may become outdated until the commit, and creating the cookies after it can't fail.
 *
 * @returns a function that creates the headers.
 * @throws AuthError `unavailable` if the keys are outdated. Await `keys.ready` first.
 */
export function prepareIssuedCookies({
  settings,
  keys,
}: Pick<HttpDeps, "settings" | "keys">): (issued: IssuedSession) => readonly string[] {
  const [csrfKey] = keys.current().csrfKeys;
  return ({ session, pair, device }) => {
    const csrfToken = deriveCsrfToken(csrfKey, session);
    const { persistent } = session;
    return [
      ...toSessionCookies(settings, { pair, csrfToken, persistent }),
      ...(device === undefined ? [] : [toDeviceCookie(settings, device, persistent)]),
    ];
  };
}
