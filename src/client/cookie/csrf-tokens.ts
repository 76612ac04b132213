import { ClientError, sessionChanged, unexpectedResponse } from "../client-error.ts";
import type { Environment, Page } from "../environment.ts";
import type { JsonCall } from "../transport/json-call.ts";
import { type Endpoints, toFreshPath, toId } from "../transport/transport.ts";

/** The dependencies of the CSRF tokens. */
export interface CsrfTokenParts {
  readonly env: Environment;
  readonly page: Page;
  readonly endpoints: Endpoints;
  /** The names that the CSRF cookie may have. */
  readonly cookieNames: readonly string[];
  readonly call: JsonCall;
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
   * @throws ClientError `cookies_blocked`.
   */
  readonly find: (asks: boolean) => Promise<CsrfToken>;
  /**
   * Returns the CSRF token of a given session, or of no session. The server has confirmed that the token belongs to it.
   *
   * @throws ClientError `session_changed` if the cookies belong to a different session, or `cookies_blocked`.
   */
  readonly findOf: (sessionId: string | undefined, asks: boolean) => Promise<CsrfToken>;
  /**
   * Checks that the browser has kept the cookies of a login or a refresh.
   *
   * @throws ClientError `cookies_blocked` if it hasn't.
   */
  readonly requireKept: () => Promise<void>;
  /** Discards the token that is known. */
  readonly reset: () => void;
}

/** Creates the finder. It knows no token yet. */
export function createCsrfTokens({ env, page, endpoints, cookieNames, call }: CsrfTokenParts): CsrfTokens {
  const isReadable = new URL(page.href).origin === endpoints.origin;
  let known: CsrfToken | undefined;

  /**
   * Returns the values of the CSRF cookie. At http://localhost there may be two cookies with different names, one of them
   * from an earlier server.
   */
  const readAll = () =>
    cookieNames.flatMap((name) => `; ${page.cookies()}`.split(`; ${name}=`)[1]?.split(";")[0] || []);

  /** Returns the token, or `undefined` if only the server knows which one it is. */
  function read(): string | undefined {
    const tokens = readAll();
    return !isReadable || tokens.includes(known?.token ?? "") ? known?.token : tokens[1] ? undefined : tokens[0];
  }

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
    known = { token, sessionId: session === null ? null : toId(session) };
    return known;
  }

  /**
   * Finds a token. With `isNamed`, the server must have said which session the token belongs to. The cookie is read only
   * once, because it can change at any time.
   */
  async function find(asks: boolean, isNamed = false): Promise<CsrfToken> {
    const token = read();
    if (asks || !token) return ask();
    if (known?.token === token) return known;
    return isNamed ? ask() : { token };
  }

  const isAnonymous = () => isReadable && readAll().every((token) => /^n[\w-]{22}\./.test(token));

  return {
    isAnonymous,
    find,
    async findOf(sessionId, asks) {
      const csrf = await find(asks, true);
      if (csrf.sessionId !== undefined && csrf.sessionId !== (sessionId ?? null)) throw sessionChanged();
      return csrf;
    },
    async requireKept() {
      if (isAnonymous() && (await ask()).sessionId === null) throw cookiesBlocked();
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

function cookiesBlocked(): ClientError {
  return new ClientError("cookies_blocked", "The browser blocks cookies. Allow them, or use https.");
}
