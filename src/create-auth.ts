import type { Admission, Auth, AuthOptions, Health, LoginResult, SessionPair } from "./auth.ts";
import type { ApplicationClaims, TokenPair } from "./core/claims.ts";
import { AuthError, SchemaVersionError } from "./core/errors.ts";
import type { AuthEvent, EventListener } from "./core/events.ts";
import { requireFunctions } from "./core/options.ts";
import type { Session } from "./core/session.ts";
import type { AuthUser, User } from "./core/user.ts";
import { createDeps } from "./create-deps.ts";
import type { Deps } from "./flows/deps.ts";
import { type Issued, issue } from "./flows/issue.ts";
import { login } from "./flows/login.ts";
import { logout, logoutByRefreshToken } from "./flows/logout.ts";
import { changePassword } from "./flows/password.ts";
import { refresh } from "./flows/refresh.ts";
import * as sessions from "./flows/sessions.ts";
import { unlockAddress, unlockUser } from "./flows/unlock.ts";
import * as users from "./flows/users.ts";
import { verify } from "./flows/verify.ts";
import { authenticateCaller, authenticateRequestAtOnce } from "./http/credentials.ts";
import { reportCsrfRefusal } from "./http/csrf-report.ts";
import type { HeaderSource } from "./http/header-source.ts";
import type { RequestHead } from "./http/origin.ts";
import { toOrigin } from "./http/request-origin.ts";
import { createHttpHandler } from "./http/router.ts";

/**
 * Creates token-pair authentication over a store. Await `ready()` before the first request.
 *
 * @throws TypeError where a setting is unknown, of the wrong kind or contradicts another; it names the fix.
 * @example
 * const store = sqliteStore("app.db");
 * await store.migrate();
 * const auth = createAuth({ store, signingKey: process.env["SIGNING_KEY"] ?? "" });
 * await auth.ready();
 */
export function createAuth<U extends AuthUser = User, C extends ApplicationClaims = ApplicationClaims>({
  onError,
  ...options
}: AuthOptions<U, C>): Auth<U, C> {
  requireFunctions({ onError, onLag: options.onLag });
  const listeners = new Set<EventListener>();
  const { deps, signals, auditQueue, webhook } = createDeps(options as unknown as AuthOptions, (event) =>
    tellAll(listeners, event),
  );
  const http = createHttpHandler(deps, onError === undefined ? {} : { onError });

  function refuse(headers: HeaderSource, error: unknown): Admission<AuthUser> {
    reportCsrfRefusal(deps, error, headers, toOrigin(headers));
    return { admitted: false, response: http.refuse(error) };
  }

  async function admitByAsking(request: RequestHead): Promise<Admission<AuthUser>> {
    try {
      const { authentication } = await authenticateCaller(deps, request);
      return { admitted: true, authentication };
    } catch (error) {
      return refuse(request.headers, error);
    }
  }

  const auth: Auth<AuthUser> = {
    ready: async () => {
      await deps.store.checkSchema();
      await deps.feed.start();
      webhook?.start();
    },
    health: () => checkHealth(deps),
    revocations: () => ({ live: deps.revocations.size, staleSeconds: deps.feed.staleness() }),
    passwords: () => deps.passwords.load(),
    close: async () => {
      deps.feed.stop();
      signals.stop();
      await webhook?.stop();
      await auditQueue.stop();
    },

    login: async (credentials, options) => {
      const loggedIn = await login(deps, credentials, options);
      return { ...toLoginResult(loggedIn), device: loggedIn.device };
    },
    issue: async (userId, options) => {
      const found = await deps.users.find(userId);
      if (found === null) throw new AuthError("no_active_account", "no such user");
      return toLoginResult(await issue(deps, found, options));
    },
    refresh: async (token, options) => {
      const { outcome, session, pair } = await refresh(deps, token, options);
      return { ...pair, session: sessions.toSessionView(session), replayed: outcome === "replayed" };
    },
    verify: (token) => verify(deps, token),
    authenticate: async (headers, options) => {
      const request = { headers, method: options?.method };
      try {
        // Every promise less is felt in the requests per second.
        return authenticateRequestAtOnce(deps, request) ?? (await authenticateCaller(deps, request)).authentication;
      } catch (error) {
        reportCsrfRefusal(deps, error, headers, toOrigin(headers));
        throw error;
      }
    },
    admit: (headers, options) => {
      const request = { headers, method: options?.method };
      try {
        const authentication = authenticateRequestAtOnce(deps, request);
        if (authentication !== null) return { admitted: true, authentication };
      } catch (error) {
        return refuse(headers, error);
      }
      return admitByAsking(request);
    },
    logout: async (session, scope, origin) => {
      if (typeof session === "string") await logoutByRefreshToken(deps, session, origin);
      else await logout(deps, session, scope, origin);
    },
    signal: (claims) => signals.signal(claims),
    revokeToken: (tokenId, origin) => sessions.revokeToken(deps, tokenId, origin),
    changePassword: async (change) => toSessionPair(await changePassword(deps, change)),

    sessions: Object.freeze<Auth["sessions"]>({
      list: (userId) => sessions.listSessions(deps, userId),
      label: (owner, label) => sessions.labelSession(deps, owner, label),
      end: (sessionId, userId, origin = {}) => sessions.endSession(deps, sessionId, { userId, origin }),
      endAllOf: (userId, origin) => sessions.endSessionsOfUser(deps, userId, origin),
      endAll: (origin) => sessions.endAllSessions(deps, origin),
    }),
    users: Object.freeze<Auth["users"]>({
      create: async (user, origin) => {
        users.requireOwnTable(deps.settings);
        return users.createUser(deps, user, origin);
      },
      findByName: (username) => users.findUserByName(deps, username),
      disable: (userId, origin) => users.disableUser(deps, userId, origin),
      enable: (userId, origin) => users.enableUser(deps, userId, origin),
      setPassword: async (userId, password, origin) => {
        users.requireOwnTable(deps.settings);
        return users.setPassword(deps, userId, password, origin);
      },
      delete: (userId, origin) => users.deleteUser(deps, userId, origin),
      unlock: (userId, origin) => unlockUser(deps, userId, origin),
    }),
    unlockAddress: async (ip, origin) => unlockAddress(deps, ip, origin),

    fetch: (request, connection) => http.fetch(request, connection),
    handles: (pathname) => http.handles(pathname),
    on: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  // The flows know users only as AuthUser; what the application's own functions returned goes back under its own type.
  return Object.freeze(auth) as unknown as Auth<U, C>;
}

function toLoginResult({ user, session, pair }: Issued): LoginResult<AuthUser> {
  return { ...toSessionPair({ session, pair }), user };
}

function toSessionPair({ session, pair }: { readonly session: Session; readonly pair: TokenPair }): SessionPair {
  return { ...pair, session: sessions.toSessionView(session) };
}

async function checkHealth({ feed, settings, store }: Deps): Promise<Health> {
  if (!feed.isLoaded()) return { ok: false, reason: "the revocations are not loaded" };
  if (!feed.isFresh() && settings.onStale === "refuse") {
    return { ok: false, reason: `the revocations are ${Math.floor(feed.staleness())} s old` };
  }
  try {
    await store.checkSchema();
    return { ok: true };
  } catch (error) {
    if (!(error instanceof SchemaVersionError)) return { ok: false, reason: "the store does not answer" };
    // While an upgrade is rolled out, the nodes before it go on.
    return error.isNewer ? { ok: true } : { ok: false, reason: "the database is older than this version" };
  }
}

function tellAll(listeners: ReadonlySet<EventListener>, event: AuthEvent): void {
  for (const listener of listeners) {
    try {
      listener(event);
    } catch {
      // A listener cannot undo what has happened.
    }
  }
}
