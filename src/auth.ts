import type { ApplicationClaims, TokenPair } from "./core/claims.ts";
import type { ClientInfo } from "./core/client-info.ts";
import type { Settings } from "./core/settings/settings.ts";
import type { AuditEntry } from "./core/store/audit.ts";
import type { PoolUsage, Store } from "./core/store/index.ts";
import type { RevokedSessions } from "./core/store/sessions.ts";
import type { AuthUser, User } from "./core/user.ts";
import type { HashLoad } from "./crypto/passwords/hash-queue.ts";
import type { EventListener, EventType, RefreshOutcome } from "./events/events.ts";
import type { Authentication } from "./flows/authenticate.ts";
import type { PasswordChange } from "./flows/change-password.ts";
import type { IssueOptions } from "./flows/issue.ts";
import type { Credentials, LoginOptions } from "./flows/login.ts";
import type { LogoutOptions, SessionOwner } from "./flows/logout.ts";
import type { RefreshOptions } from "./flows/refresh/report.ts";
import type { RevokeOptions, SessionView } from "./flows/sessions.ts";
import type { NewUserInput, UserUpdate } from "./flows/users.ts";
import type { VerifiedClaims } from "./flows/verify.ts";
import type { ConnectionInfo } from "./http/request/client-ip.ts";
import type { HeaderSource } from "./http/request/headers.ts";

/** What `createAuth` takes: a store, a key, and every setting that differs from its default. */
export interface AuthOptions<U extends AuthUser = User, C extends object = ApplicationClaims>
  extends Partial<Settings<U, C>> {
  /** From `sqliteStore` of "tokenpair/sqlite", or `postgresStore` of "tokenpair/postgres". Required. */
  readonly store: Store;
  /** The HMAC secret: at least as many bytes as its hash, 32 for HS256. A string stands for its UTF-8 bytes. Required. */
  readonly signingKey: string | Uint8Array;
  /** Called with every error that the client only sees as a 500 or 503. Default: emits a process warning. */
  readonly onError?: (error: unknown) => void;
  /**
   * Called for every revocation that the feed brings after the first load, with the seconds since it was appended, by the
   * database's clock. For a histogram. Must be fast and must not throw. Default: none.
   */
  readonly onLag?: (seconds: number) => void;
  /** Only for asymmetric algorithms: an HMAC key verifies what it signs. Default: none. */
  readonly verifyingKey?: undefined;
}

/** Who sent a request. An option of every method that emits an event or is throttled. */
export interface ClientOptions {
  /** Recorded with the events. Default: nothing is known. */
  readonly client?: ClientInfo;
}

/** A session with its newest pair. */
export interface SessionPair extends TokenPair {
  readonly session: SessionView;
}

/** A new session with its first pair. */
export interface LoginResult<U extends AuthUser = User> extends SessionPair {
  readonly user: U;
}

/** A new session that began with a password. */
export interface PasswordLoginResult<U extends AuthUser = User> extends LoginResult<U> {
  /** For this device to store, also after a logout, and to send at its next login: others can't lock it out then. */
  readonly device: string;
}

/** The result of a refresh. `refresh` is missing with `rotateRefreshTokens: false`. */
export interface RefreshResult extends Omit<TokenPair, "refresh"> {
  readonly refresh?: string;
  readonly session: SessionView;
  /** True if a spent token was answered with the same successor again. */
  readonly replayed: boolean;
}

/** A request as `authenticate` and `check` need it: a Fetch `Request`, Node's `IncomingMessage`, or one of your own. */
export interface RequestLike {
  readonly headers: HeaderSource;
  /** Default: the request counts as unsafe, so that a cookie needs the CSRF token. */
  readonly method?: string | undefined;
  /** Tells whether the request came by https, if it is absolute. */
  readonly url?: string | undefined;
}

/** What `Headers` alone don't say. */
export interface RequestOptions {
  /** Default: the request counts as unsafe, so that a cookie needs the CSRF token. */
  readonly method?: string | undefined;
}

/** Who sent the request, or the response that refuses it. */
export type CheckResult<U extends AuthUser = User, C extends object = ApplicationClaims> =
  | { readonly ok: true; readonly authentication: Authentication<U, C> }
  | { readonly ok: false; readonly response: Response };

/** Any `Auth`, whatever its user and claims types: for functions that take one. */
export type AnyAuth = Auth<AuthUser, object>;

/** The part of any `Auth` that `requireUser` needs. */
export type AnyCheck = Pick<AnyAuth, "check">;

/** What a successful `check` of `A` proves, with the application's own types. */
export type AuthenticationOf<A extends AnyCheck> = Extract<
  Awaited<ReturnType<A["check"]>>,
  { readonly ok: true }
>["authentication"];

/** Whether this node can answer; `reason` says why not. */
export type Health = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** The state of this node, for metrics. */
export interface Stats {
  readonly revocations: {
    /** Revocations that this node holds in memory. */
    readonly live: number;
    /** How old its knowledge of revocations may be. */
    readonly staleSeconds: number;
  };
  /** Password hashing. */
  readonly passwords: HashLoad;
  /** The database connections; missing if the store has no pool. */
  readonly connections?: PoolUsage;
}

/** Which audit entries to list. */
export interface AuditListOptions {
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly type?: EventType | undefined;
  /** With `type: "refresh"`. */
  readonly outcome?: RefreshOutcome | undefined;
  /** The earliest time: whole seconds since the epoch. */
  readonly since?: number | undefined;
  /** The `cursor` of the page before: lists what was committed since. Default: the newest entries. */
  readonly after?: string | undefined;
  /** Default: 100. */
  readonly limit?: number | undefined;
}

/** A page of the audit log, oldest entry first. */
export interface AuditList {
  readonly entries: readonly AuditEntry[];
  /** Pass it as `after` to continue. */
  readonly cursor: string;
  /** Whether more entries than `limit` were waiting after the cursor that was given. */
  readonly more: boolean;
}

/** The sessions. */
export interface AuthSessions {
  /** Returns the live sessions of a user, newest first; at most 1,000. */
  list(userId: string): Promise<readonly SessionView[]>;
  /** Sets or, with `null`, removes a session's label. @throws AuthError `session_not_found` */
  label(session: SessionOwner, options: { readonly label: string | null }): Promise<SessionView>;
  /** Revokes one session; with `userId`, only if it is that user's. @throws AuthError `session_not_found` */
  revoke(sessionId: string, options?: RevokeOptions): Promise<void>;
  /** Revokes every session and access token of a user. */
  revokeAllForUser(userId: string, options?: ClientOptions): Promise<RevokedSessions>;
  /** Revokes every session and access token there is. */
  revokeAll(options?: ClientOptions): Promise<RevokedSessions>;
}

/** tokenpair's own user table. */
export interface AuthUsers {
  /**
   * Creates a user.
   *
   * @throws AuthError `username_taken`; `username_invalid`, `email_invalid`, `password_refused`, whose `reason` is a sentence
   * for people. TypeError if `findUser` is set.
   */
  create(user: NewUserInput, options?: ClientOptions): Promise<User>;
  /** Returns a user by id, or `null`. */
  find(userId: string): Promise<User | null>;
  /** Returns a user by name, or `null`. */
  findByName(username: string): Promise<User | null>;
  /** Returns at most `limit` users (1,000) in order of creation, after the user with the id `after`. */
  list(options?: {
    readonly after?: string | undefined;
    readonly limit?: number | undefined;
  }): Promise<readonly User[]>;
  /**
   * Changes a user's name, email address or staff flag. Sessions stay.
   *
   * @throws AuthError `user_not_found`, `username_taken`, `username_invalid`, `email_invalid`.
   */
  update(userId: string, changes: UserUpdate, options?: ClientOptions): Promise<User>;
  /** Deactivates a user and revokes all sessions. @throws AuthError `user_not_found` */
  disable(userId: string, options?: ClientOptions): Promise<RevokedSessions>;
  /** Activates a user. Revoked sessions stay revoked. @throws AuthError `user_not_found` */
  enable(userId: string, options?: ClientOptions): Promise<void>;
  /**
   * Sets a password and revokes all sessions.
   *
   * @throws AuthError `user_not_found`; `password_refused`. TypeError if `findUser` is set.
   */
  setPassword(userId: string, password: string, options?: ClientOptions): Promise<RevokedSessions>;
  /** Deletes a user and revokes all sessions. @throws AuthError `user_not_found` */
  delete(userId: string, options?: ClientOptions): Promise<RevokedSessions>;
}

/** The counts of failed logins. */
export interface AuthThrottle {
  /** Clears a user's failed logins. @returns how many counts were cleared. @throws AuthError `user_not_found` */
  clearUser(userId: string, options?: ClientOptions): Promise<number>;
  /**
   * Clears the failed logins from an address; for IPv6, from its /64.
   *
   * @returns how many counts were cleared.
   * @throws TypeError if `ip` is not an IP address.
   */
  clearAddress(ip: string, options?: ClientOptions): Promise<number>;
}

/**
 * Token-pair authentication over one store. Every method rejects with an `AuthError` if the answer is no, and with
 * `code: "unavailable"` or a `StoreUnavailableError`, and nothing changed, if the store can't answer.
 */
export interface Auth<U extends AuthUser = User, C extends object = ApplicationClaims> {
  /**
   * Checks the schema and loads the revocations. Until then no access token is accepted.
   *
   * @throws SchemaVersionError if the database needs a migration or is newer than this version.
   */
  ready(): Promise<void>;
  /** Returns whether the store answers and the revocations are fresh. */
  health(): Promise<Health>;
  /** Returns the state of this node, for metrics. */
  stats(): Stats;
  /**
   * Stops the feed, the webhook and all signals, and writes the audit entries that wait. The store stays open: close it
   * afterwards.
   */
  close(): Promise<void>;

  /**
   * Checks a password and starts a session. Pass `client.ip` and, from a device that has logged in before, `device`: failed
   * logins are counted by them.
   *
   * @throws AuthError `no_active_account`; `throttled`, with `retryAfter`.
   */
  login(credentials: Credentials, options?: LoginOptions): Promise<PasswordLoginResult<U>>;
  /** Starts a session for a user whom you have authenticated. @throws AuthError `no_active_account` */
  issue(userId: string, options?: IssueOptions): Promise<LoginResult<U>>;
  /** Exchanges a refresh token for the next pair. @throws AuthError a `token_` code; `password_changed` */
  refresh(refreshToken: string, options?: RefreshOptions): Promise<RefreshResult>;
  /** Returns the claims of a live token of either kind. @throws AuthError a `token_` code; `password_changed` */
  verify(token: string): Promise<VerifiedClaims<C>>;
  /**
   * Returns who sent a request, from its bearer token or access cookie. From memory, without I/O, unless `loadUser` or
   * `checkUserIsActive` is on. A cookie also needs the CSRF token unless the method is safe.
   *
   * @param request a Fetch `Request`, Node's `IncomingMessage`, or `Headers` with `{ method }` as options.
   * @throws AuthError as docs/settings.md and the HTTP contract say: a 401, 403 or 503.
   */
  authenticate(request: RequestLike | Headers, options?: RequestOptions): Promise<Authentication<U, C>>;
  /**
   * As `authenticate`, but returns the contract's response instead of throwing: what `requireUser` of the adapters sends. If
   * memory is enough, which it nearly always is, it returns at once and not with a promise; `await` takes either.
   */
  check(request: RequestLike | Headers, options?: RequestOptions): CheckResult<U, C> | Promise<CheckResult<U, C>>;
  /**
   * Revokes sessions: this one, the user's others, or all of the user's. Durable, and in force on this node, when the promise
   * fulfils.
   *
   * @param session any refresh token of the session, or verified claims.
   * @throws AuthError a `token_` code for a refresh token that is not live. TypeError if `options` is not an object.
   */
  logout(session: string | SessionOwner, options?: LogoutOptions): Promise<void>;
  /**
   * Returns a signal that aborts when the access token expires or is revoked: for WebSockets, server-sent events and long
   * polls. Its reason is an `AuthError`.
   *
   * @param options.signal also aborts the returned signal, for example when the client disconnects.
   */
  signal(claims: Authentication<U, C>, options?: { readonly signal?: AbortSignal | undefined }): AbortSignal;
  /** Revokes one access token; its session continues. */
  revokeToken(tokenId: string, options?: ClientOptions): Promise<void>;
  /**
   * Changes one's own password. The asking session continues with the new pair; all others are revoked.
   *
   * @throws AuthError `wrong_password`, `throttled`, `password_refused`, `token_revoked`, `user_not_found`.
   */
  changePassword(change: PasswordChange, options?: ClientOptions): Promise<SessionPair>;

  readonly sessions: AuthSessions;
  readonly users: AuthUsers;
  readonly throttle: AuthThrottle;
  readonly audit: {
    /** Lists entries of the audit log, oldest first: the newest that match, or those after a cursor. */
    list(options?: AuditListOptions): Promise<AuditList>;
  };

  /**
   * Answers the endpoints of the HTTP contract; any other path gets a 404. Never rejects.
   *
   * @param connection.ip the address at the other end of the socket.
   */
  fetch(request: Request, connection?: ConnectionInfo): Promise<Response>;
  /** Returns whether `fetch` has an endpoint for this request. Takes a URL or path too, with or without a query. */
  handles(request: { readonly url?: string | undefined } | string): boolean;
  /** Adds a listener for every event. @returns a function that removes it. */
  on(listener: EventListener): () => void;
}
