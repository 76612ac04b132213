import { ClientError, sessionChanged, unexpectedResponse } from "../client-error.ts";
import type { Environment, Page } from "../environment.ts";
import type { JsonCall } from "../transport/json-call.ts";
import { type Endpoints, toFreshPath, toId } from "../transport/transport.ts";

/** The parts that the CSRF tokens work with. */
export interface CsrfTokenParts {
  readonly env: Environment;
  readonly page: Page;
  readonly endpoints: Endpoints;
  /** Names that the CSRF cookie may have. */
  readonly cookieNames: readonly string[];
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
   * @throws ClientError `cookies_blocked`.
   */
  readonly find: (asks: boolean) => Promise<CsrfToken>;
  /**
   * Returns the token of a session, or of no session. The server has named that session for the token.
   *
   * @throws ClientError `session_changed` if the cookies belong to another session, or `cookies_blocked`.
   */
  readonly findOf: (sessionId: string | undefined, asks: boolean) => Promise<CsrfToken>;
  /** Requires that the browser has kept the cookies of a login or a refresh. @throws ClientError `cookies_blocked`. */
  readonly requireKept: () => Promise<void>;
  /** Discards the token that is known. */
  readonly reset: () => void;
}

/** Creates the tokens. Nothing is known about them yet. */
export function createCsrfTokens({ env, page, endpoints, cookieNames, call }: CsrfTokenParts): CsrfTokens {
  const isReadable = new URL(page.href).origin === endpoints.origin;
  let known: CsrfToken | undefined;

  /** Returns the values of the CSRF cookie. Two names have one at http://localhost, if one is of an earlier server. */
  const readAll = () =>
    cookieNames.flatMap((name) => `; ${page.cookies()}`.split(`; ${name}=`)[1]?.split(";")[0] || []);

  /** Returns the token, or `undefined` if only the server can tell which one it is. */
  function read(): string | undefined {
    const tokens = readAll();
    return !isReadable || tokens.includes(known?.token ?? "") ? known?.token : tokens[1] ? undefined : tokens[0];
  }

  async function ask(): Promise<CsrfToken> {
    const { csrf_token: token, session } = await call("GET", toFreshPath(env, "csrf/"));
    if (typeof token !== "string") throw unexpectedResponse();
    // The cookie may have a name that this client doesn't know.
    if (isReadable && !readAll()[0] && !page.cookies().includes(token)) throw cookiesBlocked();
    known = { token, sessionId: session === null ? null : toId(session) };
    return known;
  }

  /** With `isNamed`, the server must have named the token's session. The cookie is read once, as it can change at any time. */
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

/** Returns whether the token begins with `s` for a session or `n` for none. The tokens of version 0.1 are shorter. */
export function hasPrefix(token: string): boolean {
  return token.indexOf(".") === 23;
}

function cookiesBlocked(): ClientError {
  return new ClientError("cookies_blocked", "The browser blocks cookies. Allow them, or use https.");
}
