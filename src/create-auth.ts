import type { Auth } from "./auth.ts";
import type { AuthOptions, RequestLike, RequestOptions } from "./auth-options.ts";
import type { CheckResult } from "./auth-results.ts";
import type { ApplicationClaims } from "./core/claims.ts";
import { requireAuthentication } from "./core/require-authentication.ts";
import { findSettingFault } from "./core/settings/faults.ts";
import { requireFunctions, requireOptions } from "./core/settings/unknown-options.ts";
import type { AuthUser, User } from "./core/user.ts";
import { toOwner } from "./core/user-id.ts";
import { createDeps } from "./create-deps.ts";
import { createLifecycle } from "./create-lifecycle.ts";
import { createLogins, toSessionPair } from "./create-logins.ts";
import { createManagement } from "./create-management.ts";
import { createPages } from "./create-pages.ts";
import { createListeners } from "./events/publisher.ts";
import { toConfirmed } from "./flows/commit.ts";
import { toSessionView } from "./flows/sessions/sessions.ts";
import type { Authentication } from "./flows/tokens/authenticate.ts";
import { isPreflight, toCorsHeaders } from "./http/cookies/cors.ts";
import { reportCsrfRefusal } from "./http/cookies/csrf-report.ts";
import { authenticateRequest } from "./http/credentials.ts";
import type { HttpDeps } from "./http/endpoint.ts";
import { toClientInfo } from "./http/request/client-info.ts";
import { toRequest } from "./http/request/headers.ts";
import { toPathname } from "./http/request/pathname.ts";
import { createDepsFinder, createHttpHandler } from "./http/router.ts";
import { setInternals } from "./internals.ts";

/**
 * Creates token-pair authentication over a store. Await `ready()` before the first request.
 *
 * The types of the application's users and claims are inferred from `findUser`, `verifyCredentials` and `claims`.
 *
 * @throws SettingError if a setting is missing, unknown or wrong, or contradicts another one. Its message says what to do.
 * @example
 * const store = sqliteStore("app.db");
 * await store.migrate();
 * const auth = createAuth({
 *   store,
 *   signingKey: process.env["SIGNING_KEY"] ?? "", // openssl rand -hex 48
 *   accessTokenLifetime: minutes(15),
 * });
 * await auth.ready();
 */
export function createAuth<U extends AuthUser = User, C extends object = ApplicationClaims>(
  options: AuthOptions<U, C>,
): Auth<U, C> {
  return createAuthWith(options, {
    developmentCookies: process.env["NODE_ENV"] === "development",
    warn: (warning) => process.emitWarning(`tokenpair: ${warning}`),
  });
}

/** Options that are not settings, so that no configuration can turn them on in production. */
export interface AuthMode {
  /**
   * Whether browsers on this machine get cookies that work at http://localhost. Not every browser accepts secure cookies
   * there.
   */
  readonly developmentCookies: boolean;
  /** Called by `ready` with what is unsafe about the settings: full sentences. */
  readonly warn: (warning: string) => void;
}

/** Does the same as `createAuth`, with the given mode. */
export function createAuthWith<U extends AuthUser = User, C extends object = ApplicationClaims>(
  { onError, ...options }: AuthOptions<U, C>,
  { developmentCookies, warn }: AuthMode,
): Auth<U, C> {
  requireFunctions({ onError, onLag: options.onLag });
  const listeners = createListeners();
  const parts = createDeps(options as unknown as AuthOptions, listeners.emit);
  const { deps, httpDeps, signals, lagListeners } = parts;
  const { flows } = httpDeps;
  const http = createHttpHandler(httpDeps, { developmentCookies, ...(onError === undefined ? {} : { onError }) });
  const findDevelopmentDeps = createDepsFinder(httpDeps, developmentCookies);

  /**
   * Returns the `HttpDeps` for a request. Reads the socket only in development, because that would cost time at every
   * request.
   */
  function findDeps(request: RequestLike, options?: RequestOptions): HttpDeps {
    if (!developmentCookies) return httpDeps;
    return findDevelopmentDeps(request, { ip: (options?.socket ?? request.socket)?.remoteAddress });
  }

  function reportRefusal(error: unknown, { headers }: RequestLike, requestDeps: HttpDeps): void {
    reportCsrfRefusal(requestDeps, error, { headers, client: toClientInfo(headers) });
  }

  function refuse(error: unknown, request: RequestLike, requestDeps: HttpDeps): Response {
    reportRefusal(error, request, requestDeps);
    return http.refuse(error);
  }

  /** @throws AuthError `confirmation_required`. */
  function accept(authentication: Authentication, requirement: RequestOptions | undefined): CheckResult<AuthUser> {
    requireAuthentication(authentication, requirement, deps.clock);
    return { ok: true, authentication };
  }

  const auth: Auth<AuthUser> = {
    ...createLifecycle(parts, warn),
    ...createManagement(httpDeps, deps.store.audit),
    ...createLogins(httpDeps, findDeps),
    ...createPages({ findDeps, refuse, accept }),
    refresh: async (token, options) => {
      const { outcome, session, pair } = await flows.refresh(token, options);
      return { ...pair, session: toSessionView(session), replayed: outcome === "replayed" };
    },
    verify: (token) => flows.verify(token),
    authenticate: async (source, options) => {
      const request = toRequest(source, options?.method);
      const requestDeps = findDeps(request, options);
      try {
        const authentication = await authenticateRequest(requestDeps, request);
        requireAuthentication(authentication, options, deps.clock);
        return authentication;
      } catch (error) {
        reportRefusal(error, request, requestDeps);
        throw error;
      }
    },
    check: (source, options) => {
      const request = toRequest(source, options?.method);
      const requestDeps = findDeps(request, options);
      try {
        const result = authenticateRequest(requestDeps, request, options);
        // If memory was enough there is no promise: each one costs requests per second.
        if (!(result instanceof Promise)) return accept(result, options);
        return result
          .then((authentication) => accept(authentication, options))
          .catch((error: unknown) => ({ ok: false, response: refuse(error, request, requestDeps) }));
      } catch (error) {
        return { ok: false, response: refuse(error, request, requestDeps) };
      }
    },
    cors: (source, options = {}) => {
      requireOptions("cors", options, ["allowHeaders", "exposeHeaders", "method"]);
      const request = toRequest(source, options?.method);
      const grant = { ...options, methods: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" };
      const headers = toCorsHeaders("trusted_with_cookies", deps.settings, request, grant);
      return { isPreflight: isPreflight(request) && "Access-Control-Allow-Origin" in headers, headers };
    },
    logout: async (session, options = {}) => {
      requireOptions("logout", options, ["scope", "client", "confirmed"]);
      requireScope(options.scope);
      if (typeof session === "string") return flows.logoutByRefreshToken(session, options);
      return toConfirmed(await flows.logout(toOwner(session, "logout"), options));
    },
    stillValid: (claims) => flows.isStillValid(claims),
    signal: (claims, options) => signals.signal(claims, options),
    revokeToken: (tokenId, options) => flows.revokeToken(tokenId, options),
    changePassword: async (change, options) => {
      const changed = await flows.changePassword(toOwner(change, "changePassword"), options);
      return { ...toSessionPair(changed), device: changed.device, ...toConfirmed(changed) };
    },

    fetch: (request, connection) => http.fetch(request, connection),
    handles: (request) => http.handles(toPathname(typeof request === "string" ? request : (request.url ?? "/"))),
    on: (listener) => listeners.add(listener),
  };
  // The flows know users only as AuthUser. What the application's own functions returned gets its own type back.
  const internals = { deps, httpDeps, signals, developmentCookies, lagListeners };
  setInternals(auth, { ...internals, ...(onError === undefined ? {} : { onError }) });
  return Object.freeze(auth) as unknown as Auth<U, C>;
}

/** Throws if a scope is unknown. An unknown scope must not count as "all". */
function requireScope(scope: unknown = "local"): void {
  const fault = findSettingFault({ type: "choice", choices: ["local", "others", "all"] }, scope);
  if (fault !== null) throw new TypeError(`logout: scope ${fault}`);
}
