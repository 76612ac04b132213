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

/** Returns the `Set-Cookie` headers of the access, refresh, CSRF and device cookies. */
export function toIssuedCookies(
  { settings, keys }: Pick<HttpDeps, "settings" | "keys">,
  { session, pair, device }: IssuedSession,
): readonly string[] {
  const csrfToken = deriveCsrfToken(keys.current().csrfKeys[0], session);
  const { persistent } = session;
  return [
    ...toSessionCookies(settings, { pair, csrfToken, persistent }),
    ...(device === undefined ? [] : [toDeviceCookie(settings, device, persistent)]),
  ];
}
