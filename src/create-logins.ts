import type { AuthLogins } from "./auth-logins.ts";
import type { RequestLike } from "./auth-options.ts";
import type { LoginResult, ReauthenticationResult, RefreshResult, SessionPair } from "./auth-results.ts";
import type { TokenPair } from "./core/claims.ts";
import type { Session } from "./core/session.ts";
import { requireOptions } from "./core/settings/unknown-options.ts";
import type { AuthUser } from "./core/user.ts";
import { toUserId } from "./core/user-id.ts";
import type { IssuedToDevice } from "./flows/sessions/issue.ts";
import type { SessionOwner } from "./flows/sessions/logout.ts";
import { toSessionView } from "./flows/sessions/sessions.ts";
import { requireFormCsrfToken, toFormCsrfToken } from "./http/cookies/browser-csrf.ts";
import { findCookieSession } from "./http/cookies/cookie-session.ts";
import { readCookies, toAccessCookie, toClearedCookies, toTokenLimits } from "./http/cookies/cookies.ts";
import { reportCsrfRefusal } from "./http/cookies/csrf-report.ts";
import { prepareIssuedCookies } from "./http/cookies/issued-cookies.ts";
import { readSessionCookies } from "./http/cookies/refresh-cookie.ts";
import type { HttpDeps } from "./http/endpoint.ts";
import { toClientInfo } from "./http/request/client-info.ts";
import { createClientIpFinder } from "./http/request/client-ip.ts";

/** The options of `issue`, which `startSession` has too except `replaces`. */
const issueOptions = ["remember", "client", "amr", "actor", "lifetime", "authTime"];

/** The options of `completeLogin`. */
const completeOptions = ["amr", "verify", "client", "device", "replaces", "idempotencyKey"];

/**
 * Creates the part of `Auth` that starts sessions.
 *
 * @param findDeps returns what a request is answered with: development cookies have settings of their own.
 */
export function createLogins(
  { flows, keys, settings, ...httpDeps }: HttpDeps,
  findDeps: (request: RequestLike) => HttpDeps,
): AuthLogins<AuthUser> {
  const findClientIp = createClientIpFinder(settings);
  const toCookieDeps = (request?: RequestLike): HttpDeps =>
    request === undefined ? { flows, keys, settings, ...httpDeps } : findDeps(request);

  return {
    login: async (credentials, options) => {
      const loggedIn = await flows.login(credentials, options);
      return { ...toLoginResult(loggedIn), device: loggedIn.device };
    },
    completeLogin: async (ticket, options) => {
      requireOptions("completeLogin", options, completeOptions);
      const loggedIn = await flows.completeLogin(ticket, options);
      return { ...toLoginResult(loggedIn), device: loggedIn.device };
    },
    findTicket: (ticket) => flows.findTicket(ticket),
    issue: async (userId, options = {}) => {
      requireOptions("issue", options, [...issueOptions, "replaces"]);
      return toLoginResult(await flows.issue(toUserId(userId, "issue"), options));
    },
    startSession: async (request, userId, options = {}) => {
      requireOptions("startSession", options, [...issueOptions, "connection"]);
      const { connection = { ip: request.socket?.remoteAddress }, client, ...rest } = options;
      const deps = findDeps(request);
      await keys.ready();
      const sender = { ...toClientInfo(request.headers, findClientIp(request.headers, connection)), ...client };
      const toCookies = prepareIssuedCookies(deps);
      const browser = { replaces: findReplaced(deps, request), tokenLimits: toTokenLimits(deps.settings) };
      const issued = await flows.issue(toUserId(userId, "startSession"), { ...rest, client: sender, ...browser });
      return { ...toLoginResult(issued), cookies: toCookies(issued) };
    },
    toSetCookies: (result, request) => toResultCookies(toCookieDeps(request), result),
    clearedCookies: (request) => toClearedCookies(toCookieDeps(request).settings),
    csrfToken: async (request) => {
      const deps = findDeps(request);
      await keys.ready();
      const { token, cookies } = toFormCsrfToken(deps, readSessionCookies(deps, request.headers));
      return { token, cookies };
    },
    requireCsrfToken: async (request, options = {}) => {
      requireOptions("requireCsrfToken", options, ["token"]);
      const deps = findDeps(request);
      const { headers } = request;
      await keys.ready();
      try {
        // A form without the field must not count as a request with a header.
        const field = "token" in options ? toFieldText(options.token) : undefined;
        requireFormCsrfToken(deps, { request, cookies: readSessionCookies(deps, headers), field });
      } catch (error) {
        const client = toClientInfo(headers, findClientIp(headers, { ip: request.socket?.remoteAddress }));
        reportCsrfRefusal(deps, error, { headers, client });
        throw error;
      }
    },
    confirm: async (session, options) => {
      requireOptions("confirm", options, ["amr", "client"]);
      const { userId, sessionId } = session;
      const confirmed = await flows.reauthenticate({ userId: toUserId(userId, "confirm"), sessionId }, options);
      return { ...confirmed.pair, session: toSessionView(confirmed.session) };
    },
  };
}

const toFieldText = (value: unknown) => (typeof value === "string" ? value : "");

/** Returns the session that a browser has. Two access or CSRF cookies say nothing, because another host has set one of them. */
function findReplaced(deps: HttpDeps, { headers }: RequestLike): SessionOwner | undefined {
  if (readCookies(headers, deps.settings).hasDuplicates) return undefined;
  return findCookieSession(deps, readSessionCookies(deps, headers)) ?? undefined;
}

/** Returns the cookies of a login, a refresh or a confirmation. Without a refresh token, the CSRF token stays the same too. */
function toResultCookies(
  deps: HttpDeps,
  result: LoginResult<AuthUser> | RefreshResult | ReauthenticationResult,
): readonly string[] {
  const { session: view, access, accessExpiresIn } = result;
  const { persistent } = view;
  requireLength("access", access, deps);
  if (!("refresh" in result) || result.refresh === undefined) {
    return [toAccessCookie(deps.settings, access, persistent ? accessExpiresIn : null)];
  }
  requireLength("refresh", result.refresh, deps);
  const { generation } = deps.tokens.verifyRefresh(result.refresh);
  const device = "device" in result ? result.device : undefined;
  return prepareIssuedCookies(deps)({ session: { id: view.id, generation, persistent }, pair: result, device });
}

/** @throws TypeError if browsers would ignore the cookie of this token. */
function requireLength(type: "access" | "refresh", token: string, { settings }: HttpDeps): void {
  const limit = toTokenLimits(settings)[type];
  if (token.length <= limit) return;
  throw new TypeError(
    `toSetCookies: the ${type} token has ${token.length} characters, but browsers keep at most ${limit} in its cookie. ` +
      "Return shorter claims.",
  );
}

function toLoginResult({ user, session, pair, device }: IssuedToDevice): LoginResult<AuthUser> {
  return { ...toSessionPair({ session, pair }), user, ...(device === undefined ? {} : { device }) };
}

/** Returns a session as its owner sees it, with its pair. */
export function toSessionPair({ session, pair }: { readonly session: Session; readonly pair: TokenPair }): SessionPair {
  return { ...pair, session: toSessionView(session) };
}
