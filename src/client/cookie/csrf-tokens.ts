import { ClientError, unexpectedResponse } from "../client-error.ts";
import type { Environment, Page } from "../environment.ts";
import type { JsonCall } from "../transport/json-call.ts";
import { toOrigin } from "../transport/outgoing.ts";
import { toFreshPath, toId, type Urls } from "../transport/transport.ts";

/** The dependencies of the CSRF tokens. */
export interface CsrfTokenParts {
  readonly env: Environment;
  readonly page: Page;
  readonly urls: Urls;
  /** The name of the CSRF cookie. The name without its prefix counts too. */
  readonly csrfCookie: string;
}

/** A CSRF token, and what the server has said about it. */
export interface CsrfToken {
  readonly token: string;
  /**
   * The id of the session that the token belongs to, according to the server. `null` if the server said that there is no
   * session. `undefined` if it didn't say, as in version 0.1.
   */
  readonly sessionId?: string | null | undefined;
}

/** Finds CSRF tokens. A page can read the CSRF cookie only if it has the same origin as the server. */
export interface CsrfTokens {
  /**
   * Returns whether the CSRF cookie says that there is no session. Returns false on another origin, because the cookie
   * can't be read there.
   */
  readonly isAnonymous: () => boolean;
  /**
   * Returns the CSRF token of the cookies, no matter which session they belong to.
   *
   * @param asks Whether to ask the server even if a token is known.
   * @param isNamed Whether the server must have named the token's session.
   * @throws ClientError `cookies_blocked`.
   */
  readonly find: (asks: boolean, isNamed?: boolean) => Promise<CsrfToken>;
  /** Discards the token that is known. */
  readonly reset: () => void;
}

/** Creates the finder. It knows no token yet. */
export function createCsrfTokens({ env, page, urls, csrfCookie }: CsrfTokenParts, call: JsonCall): CsrfTokens {
  const isReadable = toOrigin(page.href) === urls.origin;
  // Without https, the server leaves the prefix out. A name that has none is here twice.
  const names = [csrfCookie, csrfCookie.replace(/^__\w+?-/, "")];
  let known: CsrfToken | undefined;

  /**
   * Returns the values of the CSRF cookie. At http://localhost there may be two cookies with different names, one of them
   * from an earlier server.
   */
  const readAll = () => names.flatMap((name) => `; ${env.cookies?.()}`.split(`; ${name}=`)[1]?.split(";")[0] || []);

  /** `previous` is the token of the response before. */
  async function ask(previous?: string): Promise<CsrfToken> {
    const { csrf_token: token, session } = await call("GET", toFreshPath(env, "csrf/"));
    if (typeof token !== "string") throw unexpectedResponse();
    // The cookie may have a name that this client doesn't know, and WebKit shows it to scripts some time after the response.
    // If the browser keeps it, the server gets it with the next request and returns the same token.
    if (isReadable && !readAll()[0] && token !== previous) {
      if (previous) throw cookiesBlocked();
      return ask(token);
    }
    const sessionId = session === null ? null : toId(session);
    known = { token, sessionId };
    return known;
  }

  const isAnonymous = () => isReadable && readAll().every((token) => hasPrefix(token) && token.startsWith("n"));

  return {
    isAnonymous,
    async find(asks, isNamed) {
      // Read once, as the cookie can change at any time.
      const tokens = readAll();
      if (!asks && known && (!isReadable || tokens.includes(known.token))) return known;
      const [token, another = token] = tokens;
      // Of two tokens, only the server can tell which one counts.
      return asks || isNamed || !token || another !== token || !isReadable ? ask() : { token };
    },
    reset() {
      known = undefined;
    },
  };
}

/**
 * Returns whether the token begins with `s` (for a session) or `n` (for no session). The tokens of version 0.1 have no such
 * prefix and are shorter.
 */
export function hasPrefix(token: string): boolean {
  return token.indexOf(".") === 23;
}

/** Returns the error for a browser that doesn't keep the cookies. */
export function cookiesBlocked(): ClientError {
  return new ClientError("cookies_blocked", "Allow cookies in your browser, or use https.");
}
