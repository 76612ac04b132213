import { ClientError, unexpectedResponse } from "../client-error.ts";
import type { Environment, Page } from "../environment.ts";
import type { JsonCall } from "../transport/json-call.ts";
import { toOrigin } from "../transport/outgoing.ts";
import { toFreshPath, toId, type Urls } from "../transport/transport.ts";

/** The parts that the CSRF tokens work with. */
export interface CsrfTokenParts {
  readonly env: Environment;
  readonly page: Page;
  readonly urls: Urls;
  /** The name of the CSRF cookie. The name without its prefix counts too. */
  readonly csrfCookie: string;
  readonly call: JsonCall;
}

/** A CSRF token, and what the server has said about it. */
export interface CsrfToken {
  readonly token: string;
  /**
   * The id of the session that the server named for the token; `null` if it named none, and `undefined` if it didn't
   * say, as servers with version 0.1 don't.
   */
  readonly sessionId?: string | null | undefined;
}

/** Finds CSRF tokens. A page can read the CSRF cookie only if the server has the page's origin. */
export interface CsrfTokens {
  /** Returns whether the CSRF cookie says that there is no session. False on another origin: it can't be read there. */
  readonly isAnonymous: () => boolean;
  /**
   * Returns the token of the cookies, whatever session they belong to.
   *
   * @param asks Whether to ask the server although there is a token.
   * @param isNamed Whether the server must have named the token's session.
   * @throws ClientError `cookies_blocked`.
   */
  readonly find: (asks: boolean, isNamed?: boolean) => Promise<CsrfToken>;
  /** Discards the token that is known. */
  readonly reset: () => void;
}

/** Creates the tokens. Nothing is known about them yet. */
export function createCsrfTokens({ env, page, urls, csrfCookie, call }: CsrfTokenParts): CsrfTokens {
  const isReadable = toOrigin(page.href) === urls.origin;
  // Without https, the server leaves the prefix out. A name that has none is here twice.
  const names = [csrfCookie, csrfCookie.replace(/^__\w+?-/, "")];
  let known: CsrfToken | undefined;

  /** Returns the values of the CSRF cookie. Two names have one at http://localhost if one is of an earlier server. */
  const readAll = () => names.flatMap((name) => `; ${page.cookies()}`.split(`; ${name}=`)[1]?.split(";")[0] || []);

  async function ask(): Promise<CsrfToken> {
    const { csrf_token: token, session } = await call("GET", toFreshPath(env, "csrf/"));
    if (typeof token !== "string") throw unexpectedResponse();
    // The cookie may have a name that this client doesn't know.
    if (isReadable && !readAll()[0] && !page.cookies().includes(token)) throw cookiesBlocked();
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

/** Returns whether the token begins with `s` for a session or `n` for none. The tokens of version 0.1 are shorter. */
export function hasPrefix(token: string): boolean {
  return token.indexOf(".") === 23;
}

/** Returns the error for a browser that doesn't keep the cookies. */
export function cookiesBlocked(): ClientError {
  return new ClientError("cookies_blocked", "Allow cookies in your browser, or use https.");
}
