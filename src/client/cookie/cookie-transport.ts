import { notAuthenticated } from "../client-error.ts";
import type { Environment, Page } from "../environment.ts";
import { createJsonCall, type JsonObject, readCode, type Send } from "../transport/json-call.ts";
import { isUnsafe, requireReplayable, toOrigin, toRequest } from "../transport/outgoing.ts";
import {
  type Endpoints,
  type Grant,
  lateFactor,
  type Transport,
  toId,
  toLifetime,
  toUser,
} from "../transport/transport.ts";
import { type CsrfToken, createCsrfTokens, hasPrefix } from "./csrf-tokens.ts";

/** The parts that the cookie transport works with. */
export interface CookieTransportParts {
  readonly env: Environment;
  readonly page: Page;
  readonly endpoints: Endpoints;
  /** Seconds. */
  readonly timeout: number;
  /** Names that the CSRF cookie may have. */
  readonly cookieNames: readonly string[];
  readonly csrfHeader: string;
  /** Returns the id of the session that the client shows. */
  readonly getShownId: () => string | undefined;
}

/** The transport of a page. */
export interface CookieTransport extends Transport {
  /** See `CookieClient.csrfToken`. */
  readonly csrfToken: () => Promise<string>;
}

/**
 * Creates a transport whose tokens are in HttpOnly cookies, which the browser sends. Unsafe requests also carry the
 * CSRF token of the session that the client shows. Both are sent only to the page's origin and to the server's.
 */
export function createCookieTransport(parts: CookieTransportParts): CookieTransport {
  const { env, page, endpoints, timeout, cookieNames, csrfHeader, getShownId } = parts;
  const pageOrigin = toOrigin(page.href);
  /** The CSRF token that the last refresh was sent with. */
  let lastToken = "";

  /** `findToken` returns the CSRF token, or another one after a refusal. */
  function createSend(
    findToken: (shownId: string | undefined, isRefused: boolean) => Promise<CsrfToken>,
    getIdempotencyKey?: (fingerprint: string) => Promise<string | undefined>,
  ): Send {
    return async (input, init, fetch = env.fetch) => {
      async function sendOnce(token?: string): Promise<Response> {
        const { input: copy, headers } = toRequest(input, init);
        let limits: RequestInit = {};
        if (token) {
          headers.set(csrfHeader, token);
          // The CSRF token changes with every refresh token, and the server refuses it together with another one.
          const key = await getIdempotencyKey?.(token);
          if (key) headers.set("Idempotency-Key", key);
          // A redirect would carry the CSRF token along, so no redirect to another origin is followed.
          limits = toOrigin(copy) === pageOrigin ? { mode: "same-origin" } : { redirect: "error" };
        }
        return fetch(copy, { credentials: "include", ...init, headers, ...limits });
      }

      if (!isUnsafe(input, init)) return sendOnce();
      const shownId = getShownId();
      const response = await sendOnce((await findToken(shownId, false)).token);
      if (response.status !== 403 || (await readCode(response)) !== "csrf_failed") return response;
      const { token } = await findToken(shownId, true);
      requireReplayable(init);
      return sendOnce(token);
    };
  }

  const createCall = (send: Send, seconds = timeout) => createJsonCall(env, seconds, endpoints.auth, send);
  const send = createSend((shownId, isRefused) => tokens.findOf(shownId, isRefused));
  const call = createCall(send);
  const tokens = createCsrfTokens({ env, page, endpoints, cookieNames, call });
  // A login is for no session yet, and its response names the session.
  const callLogin = createCall(createSend((_, isRefused) => tokens.find(isRefused)));

  /** Returns what a response says, after a check that the browser has kept its cookies. */
  async function toKeptGrant(json: JsonObject): Promise<Grant> {
    await tokens.requireKept();
    return {
      lifetime: toLifetime(json["access_expires_in"]),
      refreshLifetime: Number(json["refresh_expires_in"]) || undefined,
      user: toUser(json["user"]),
      sessionId: toId(json["session"]),
    };
  }

  return {
    origins: [endpoints.origin, pageOrigin],
    send,
    call,
    async login(credentials) {
      const path = "ticket" in credentials ? "login/continue/" : "login/";
      return toKeptGrant(await callLogin("POST", path, { remember: true, ...credentials }));
    },
    async refresh(getIdempotencyKey, isKnown) {
      const isAnonymous = tokens.isAnonymous();
      if (isAnonymous && !isKnown) throw notAuthenticated();
      const sendRefresh = createSend(async (_, isRefused) => {
        const csrf = await tokens.find(isRefused || isAnonymous);
        if (csrf.sessionId === null) throw notAuthenticated();
        lastToken = csrf.token;
        return csrf;
      }, getIdempotencyKey);
      return toKeptGrant(await createCall(sendRefresh, timeout * lateFactor)("POST", "refresh/"));
    },
    // Servers with version 0.1 don't say whether the session is over.
    endsOn401: () => !hasPrefix(lastToken),
    async logout(scope) {
      await call("POST", "logout/", { scope });
    },
    async renew(...request) {
      await call("POST", ...request);
      return {};
    },
    csrfToken: async () => (await tokens.findOf(getShownId(), false)).token,
    isAnonymous: tokens.isAnonymous,
    reset: tokens.reset,
  };
}
