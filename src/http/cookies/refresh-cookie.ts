import type { HttpDeps } from "../endpoint.ts";
import type { HeaderSource } from "../request/headers.ts";
import { nullIfRefused } from "./cookie-session.ts";
import { type RequestCookies, readCookies } from "./cookies.ts";
import { isAcceptedCsrfToken } from "./csrf-token.ts";

type CookieDeps = Pick<HttpDeps, "settings" | "tokens" | "keys">;

/** A length that every refresh token has, in characters. The shortest have about 370. Shorter values are planted. */
export const minTokenLength = 300;

/**
 * The maximum number of refresh cookies that are tried. So many of this length don't fit into the 24 KiB of headers that the server
 * accepts, so other hosts can't hide the browser's own behind them.
 */
export const maxCandidates = 100;

/**
 * Reads the cookies like `readCookies`. If there are two or more refresh cookies, it finds the browser's own: the only one
 * that has the same session as the CSRF token. If there is no such cookie, it takes the only one that has the same session
 * as the access token, even if the access token has expired. Other hosts can't set the cookies of the CSRF and access
 * tokens. Refresh tokens that aren't genuine are ignored. Works without the database.
 */
export function readSessionCookies(deps: CookieDeps, headers: HeaderSource): RequestCookies {
  const cookies = readCookies(headers, deps.settings);
  if (cookies.refreshCandidates === undefined) return cookies;
  return { ...cookies, refresh: findOwnRefreshToken(deps, cookies, cookies.refreshCandidates) };
}

function findOwnRefreshToken(
  { tokens, keys }: CookieDeps,
  { csrf, access }: RequestCookies,
  candidates: readonly string[],
): string | undefined {
  const possible = [...new Set(candidates.filter(({ length }) => length >= minTokenLength))].slice(0, maxCandidates);
  const genuine = possible.flatMap((token) => {
    const claims = nullIfRefused(() => tokens.verifyRefresh(token, { mayBeExpired: true }));
    return claims === null ? [] : [{ token, sessionId: claims.sessionId }];
  });
  const ofCsrfToken = genuine.filter(
    ({ sessionId }) => csrf !== undefined && isAcceptedCsrfToken(keys.current(), csrf, sessionId),
  );
  const fitting = ofCsrfToken.length > 0 ? ofCsrfToken : findOfAccessToken();
  return fitting.length === 1 ? fitting[0]?.token : undefined;

  function findOfAccessToken(): typeof genuine {
    if (access === undefined || genuine.length === 0) return [];
    const claims = nullIfRefused(() => tokens.verifyAny(access, { mayBeExpired: true }));
    return claims?.type === "access" ? genuine.filter(({ sessionId }) => sessionId === claims.sessionId) : [];
  }
}
