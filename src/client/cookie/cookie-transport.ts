import { notAuthenticated, sessionChanged } from "../client-error.ts";
import type { Environment, Page } from "../environment.ts";
import type { SessionStateHolder } from "../session/session-state.ts";
import { createJsonCall, type JsonObject, readCode, type Send, toJsonObject } from "../transport/json-call.ts";
import { isUnsafe, requireReplayable, toOrigin, toRequest } from "../transport/outgoing.ts";
import { type Grant, lateFactor, type Transport, toId, toLifetime, toUser, type Urls } from "../transport/transport.ts";
import { type CsrfToken, cookiesBlocked, createCsrfTokens, hasPrefix } from "./csrf-tokens.ts";

/** The dependencies of the cookie transport. */
export interface CookieTransportParts {
  readonly env: Environment;
  readonly page: Page;
  readonly urls: Urls;
  /** How long a call may take, in seconds. */
  readonly timeout: number;
  readonly csrfCookie: string;
  readonly csrfHeader: string;
  readonly state: SessionStateHolder;
}

/** The transport of a page. */
export interface CookieTransport extends Transport {
  /** See `CookieClient.csrfToken`. */
  readonly csrfToken: () => Promise<string>;
}

/**
 * Creates a transport whose tokens are in HttpOnly cookies, which the browser sends. Unsafe requests also carry the CSRF
 * token of the session that the client shows. Both are sent only to the origins of the page and of the server.
 */
export function createCookieTransport(parts: CookieTransportParts): CookieTransport {
  const { env, page, urls, timeout, csrfHeader, state } = parts;
  const pageOrigin = toOrigin(page.href);
  /** The CSRF token that was sent with the last refresh. */
  let lastToken = "";

  /** Creates a function that sends requests. `findToken` returns the CSRF token or, after a refusal, another one. */
  function createSend(
    findToken: (shownId: string | undefined, isRefused: boolean) => Promise<CsrfToken>,
    getKey?: (fingerprint: string) => Promise<string | undefined>,
  ): Send {
    return async (input, init, fetch = env.fetch) => {
      const shownId = state.get().sessionId;
      const isProtected = isUnsafe(input, init);
      async function sendOnce(isRefused: boolean): Promise<Response> {
        const { input: copy, headers } = toRequest(input, init);
        let limits: RequestInit = {};
        if (isProtected) {
          const { token } = await findToken(shownId, isRefused);
          headers.set(csrfHeader, token);
          // The CSRF token changes with every refresh token, and the server refuses it together with another one.
          const key = await getKey?.(token);
          if (key) headers.set("Idempotency-Key", key);
          // A redirect would carry the CSRF token along, so no redirect to another origin is followed.
          limits = toOrigin(copy) === pageOrigin ? { mode: "same-origin" } : { redirect: "error" };
        }
        return fetch(copy, { credentials: "include", ...init, headers, ...limits });
      }

      const response = await sendOnce(false);
      if (!isProtected || response.status !== 403 || (await readCode(response)) !== "csrf_failed") return response;
      requireReplayable(init);
      return sendOnce(true);
    };
  }

  /** Returns the CSRF token of a session, or of no session. The server has named that session for the token. */
  async function findOf(sessionId: string | undefined, asks = false): Promise<CsrfToken> {
    const csrf = await tokens.find(asks, true);
    if (csrf.sessionId !== undefined && csrf.sessionId !== (sessionId ?? null)) throw sessionChanged();
    return csrf;
  }

  const send = createSend(findOf);
  const call = createJsonCall(env, urls.auth, { timeout, send });
  const tokens = createCsrfTokens(parts, call);

  /** Returns the grant in a response, after checking that the browser has kept the cookies of the response. */
  async function toKeptGrant(json: JsonObject): Promise<Grant> {
    if (tokens.isAnonymous() && (await tokens.find(true)).sessionId === null) throw cookiesBlocked();
    return {
      lifetime: toLifetime(json["access_expires_in"]),
      refreshLifetime: Number(json["refresh_expires_in"]) || undefined,
      user: toUser({ ...toJsonObject(json["user"]), claims: json["claims"] }),
      sessionId: toId(json["session"]),
    };
  }

  return {
    origins: [urls.origin, pageOrigin],
    send,
    call,
    async login(input, options) {
      // A login is for no session yet, and its response names the session.
      const send = createSend((_, isRefused) => tokens.find(isRefused));
      const path = "ticket" in input ? "login/continue/" : "login/";
      return toKeptGrant(await call("POST", path, input, { ...options, send }));
    },
    async refresh(getKey, isKnown, signal) {
      const isAnonymous = tokens.isAnonymous();
      if (isAnonymous && !isKnown) throw notAuthenticated();
      const send = createSend(async (_, isRefused) => {
        const csrf = await tokens.find(isRefused || isAnonymous);
        if (csrf.sessionId === null) throw notAuthenticated();
        lastToken = csrf.token;
        return csrf;
      }, getKey);
      return toKeptGrant(await call("POST", "refresh/", undefined, { send, timeout: timeout * lateFactor, signal }));
    },
    // Servers with version 0.1 don't say whether the session is over.
    endsOn401: () => !hasPrefix(lastToken),
    logout: (scope, options) => call("POST", "logout/", { scope }, options),
    async replace(...request) {
      await call("POST", ...request);
      return {};
    },
    csrfToken: async () => (await findOf(state.get().sessionId)).token,
    isAnonymous: tokens.isAnonymous,
    reset: tokens.reset,
  };
}
