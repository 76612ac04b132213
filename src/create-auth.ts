import type { Auth } from "./auth.ts";
import type { AuthOptions, RequestLike, RequestOptions } from "./auth-options.ts";
import type { CheckResult } from "./auth-results.ts";
import type { ApplicationClaims } from "./core/claims.ts";
import { requireAuthentication } from "./core/require-authentication.ts";
import { findSettingFault, toShown } from "./core/settings/faults.ts";
import { requireFunctions, requireOptions } from "./core/settings/unknown-options.ts";
import type { AuthUser, User } from "./core/user.ts";
import { toUserId } from "./core/user-id.ts";
import { createDeps } from "./create-deps.ts";
import { createLogins, toSessionPair } from "./create-logins.ts";
import { createPages } from "./create-pages.ts";
import { createListeners } from "./events/publisher.ts";
import { reportLegacyKey } from "./flows/legacy/report.ts";
import { toSessionView } from "./flows/sessions/sessions.ts";
import type { Authentication } from "./flows/tokens/authenticate.ts";
import { requireOwnTable } from "./flows/users/users.ts";
import { isPreflight, toCorsHeaders } from "./http/cookies/cors.ts";
import { reportCsrfRefusal } from "./http/cookies/csrf-report.ts";
import { authenticateRequest } from "./http/credentials.ts";
import type { HttpDeps } from "./http/endpoint.ts";
import { toClientInfo } from "./http/request/client-info.ts";
import { toRequest } from "./http/request/headers.ts";
import { toPathname } from "./http/request/pathname.ts";
import { createDepsFinder, createHttpHandler } from "./http/router.ts";
import { setInternals } from "./internals.ts";
import { toKeyWarnings } from "./keys/warnings.ts";
import { checkHealth, sweepSilentNodes, toKeyStats, toReaderStats } from "./node-state.ts";

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
  const { deps, httpDeps, keys, signals, confirmer, auditQueue, storeMonitor, webhook, lagListeners } = parts;
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
    ready: async () => {
      if (deps.users.isOwn) await deps.passwords.prepare();
      await deps.store.checkSchema();
      await keys.load();
      for (const warning of toKeyWarnings(keys.current().tokens.access.algorithm, deps.settings)) warn(warning);
      await deps.feed.start();
      await reportLegacyKey(deps);
      webhook?.start();
      sweepSilentNodes(deps, confirmer);
    },
    health: () => checkHealth(deps, { keys, storeMonitor }),
    stats: () => ({
      revocations: { live: deps.revocations.size, staleSeconds: deps.feed.staleness() },
      readers: toReaderStats(deps),
      passwords: deps.passwords.load(),
      store: { isWritable: storeMonitor.isWritable() },
      keys: toKeyStats(keys, deps.clock),
      ...(deps.store.connections === undefined ? {} : { connections: deps.store.connections() }),
    }),
    drain: () => {
      deps.readers.stop();
      httpDeps.sessionStreams.stop();
    },
    close: async () => {
      deps.readers.stop();
      httpDeps.sessionStreams.stop();
      const left = deps.feed.stop();
      confirmer.stop();
      signals.stop();
      await left;
      await webhook?.stop();
      await storeMonitor.stop();
      await auditQueue.stop();
    },

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
      const { confirmed } = await flows.logout(toOwner(session, "logout"), options);
      return confirmed === undefined ? {} : { confirmed };
    },
    stillValid: (claims) => flows.isStillValid(claims),
    signal: (claims, options) => signals.signal(claims, options),
    revokeToken: (tokenId, options) => flows.revokeToken(tokenId, options),
    changePassword: async (change, options) => {
      const { confirmed, ...changed } = await flows.changePassword(toOwner(change, "changePassword"), options);
      return {
        ...toSessionPair(changed),
        device: changed.device,
        ...(confirmed === undefined ? {} : { confirmed }),
      };
    },

    sessions: Object.freeze<Auth["sessions"]>({
      list: async (userId) => flows.listSessions(toUserId(userId, "sessions.list")),
      label: async (session, options) => {
        requireOptions("sessions.label", options, ["label"]);
        return flows.labelSession(toOwner(session, "sessions.label"), options.label);
      },
      revoke: async (sessionId, options = {}) => {
        // A string in place of the options has no `userId`, and would revoke another user's session too.
        requireOptions("sessions.revoke", options, ["userId", "client", "confirmed"]);
        return flows.revokeSession(
          sessionId,
          options.userId === undefined ? options : toOwner(options, "sessions.revoke"),
        );
      },
      revokeAllForUser: async (userId, options) =>
        flows.revokeSessionsForUser(toUserId(userId, "sessions.revokeAllForUser"), options),
      revokeAll: (options) => flows.revokeAllSessions(options),
    }),
    users: Object.freeze<Auth["users"]>({
      create: async (user, options) => {
        requireOwnTable(deps.settings);
        return flows.createUser(user, options);
      },
      find: async (userId) => flows.findUser(toUserId(userId, "users.find")),
      findByName: (username) => flows.findUserByName(username),
      list: async (options) => {
        requireLimit("users.list", options?.limit);
        return flows.listUsers(options);
      },
      update: async (userId, changes, options) => {
        requireOwnTable(deps.settings);
        return flows.updateUser(toUserId(userId, "users.update"), changes, options);
      },
      disable: async (userId, options) => flows.disableUser(toUserId(userId, "users.disable"), options),
      enable: async (userId, options) => flows.enableUser(toUserId(userId, "users.enable"), options),
      setPassword: async (userId, password, options) => {
        requireOwnTable(deps.settings);
        return flows.setPassword(toUserId(userId, "users.setPassword"), password, options);
      },
      delete: async (userId, options) => flows.deleteUser(toUserId(userId, "users.delete"), options),
    }),
    throttle: Object.freeze<Auth["throttle"]>({
      clearUser: async (userId, options) => flows.unlockUser(toUserId(userId, "throttle.clearUser"), options),
      clearAddress: (ip, options) => flows.unlockAddress(ip, options),
    }),
    audit: Object.freeze<Auth["audit"]>({
      list: async ({ after = null, limit = 100, ...query } = {}) => {
        requireLimit("audit.list", limit);
        const owner = query.userId === undefined ? query : toOwner(query, "audit.list");
        return deps.store.audit.read({ ...owner, after, limit });
      },
      erase: async (userId, options) => {
        const erased = await flows.eraseUser(toUserId(userId, "audit.erase"), options?.client);
        if (erased === null) throw new TypeError("audit.erase: the user exists; call auth.users.delete before");
        return erased;
      },
    }),

    fetch: (request, connection) => http.fetch(request, connection),
    handles: (request) => http.handles(toPathname(typeof request === "string" ? request : (request.url ?? "/"))),
    on: (listener) => listeners.add(listener),
  };
  // The flows know users only as AuthUser. What the application's own functions returned gets its own type back.
  const internals = { deps, httpDeps, signals, developmentCookies, lagListeners };
  setInternals(auth, { ...internals, ...(onError === undefined ? {} : { onError }) });
  return Object.freeze(auth) as unknown as Auth<U, C>;
}

/** Returns what names a user, with the id as text. @throws TypeError if the id can't be a user's. */
function toOwner<T extends { readonly userId?: string | undefined }>(subject: T, taker: string): T {
  return { ...subject, userId: toUserId(subject.userId, taker) };
}

/** Throws if a limit is not a positive whole number. SQLite would read a negative limit as "no limit". */
function requireLimit(taker: string, limit: unknown = 1): void {
  if (Number.isSafeInteger(limit) && (limit as number) > 0) return;
  throw new TypeError(`${taker}: limit must be a positive whole number, got ${toShown(limit)}`);
}

/** Throws if a scope is unknown. An unknown scope must not count as "all". */
function requireScope(scope: unknown = "local"): void {
  const fault = findSettingFault({ type: "choice", choices: ["local", "others", "all"] }, scope);
  if (fault !== null) throw new TypeError(`logout: scope ${fault}`);
}
