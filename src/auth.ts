import type { ApplicationClaims, TokenPair } from "./core/claims.ts";
import type { EventListener, RequestOrigin } from "./core/events.ts";
import type { Settings } from "./core/settings.ts";
import type { Ended, Store } from "./core/store.ts";
import type { AuthUser, User } from "./core/user.ts";
import type { HashLoad } from "./crypto/passwords/hash-queue.ts";
import type { Authentication } from "./flows/authenticate.ts";
import type { IssueOptions } from "./flows/issue.ts";
import type { Credentials, LoginOptions } from "./flows/login.ts";
import type { LogoutScope } from "./flows/logout.ts";
import type { PasswordChange } from "./flows/password.ts";
import type { RefreshOptions } from "./flows/refresh-report.ts";
import type { SessionView } from "./flows/sessions.ts";
import type { NewUserInput } from "./flows/users.ts";
import type { VerifiedClaims } from "./flows/verify.ts";
import type { HeaderSource } from "./http/header-source.ts";

/** What `createAuth` takes: a store, a key, and whatever differs from the defaults of `Settings`. */
export interface AuthOptions<U extends AuthUser = User, C extends ApplicationClaims = ApplicationClaims>
  extends Partial<Settings<U, C>> {
  /** From `sqliteStore` of "tokenpair/sqlite", or `postgresStore` of "tokenpair/postgres". Required. */
  readonly store: Store;
  /** The HMAC secret: at least as many bytes as its hash, 32 for HS256. A string stands for its UTF-8 bytes. Required. */
  readonly signingKey: string | Uint8Array;
  /**
   * Told of a defect that a client only sees as a 503 or 500: an error of one of your functions, or of ours. Default: a
   * warning of the process.
   */
  readonly onError?: (error: unknown) => void;
  /**
   * For a histogram: called with the seconds from a revocation's appending, by the store's clock, to its application here,
   * for every one that the feed brings after the first load. Must be quick and not throw. Default: none.
   */
  readonly onLag?: (seconds: number) => void;
  /** Only for asymmetric algorithms; an HMAC key verifies what it signs. Default: none. */
  readonly verifyingKey?: undefined;
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
  /** For this device to keep, also beyond a logout, and to show at its next login: others cannot lock it out then. */
  readonly device: string;
}

/** The answer to a refresh. `refresh` is missing with `rotateRefreshTokens: false`. */
export interface RefreshResult extends Omit<TokenPair, "refresh"> {
  readonly refresh?: string;
  readonly session: SessionView;
  /** True where a spent token was answered with the successor that it had been given before. */
  readonly replayed: boolean;
}

/** One user's session, as named by verified claims. */
export interface SessionOwner {
  readonly sessionId: string;
  readonly userId: string;
}

/** What `authenticate` needs to know of a request beside its headers: a Fetch `Request` has it, and Node's. */
export interface RequestOptions {
  /** Where it is missing, the request counts as unsafe: a cookie then needs the CSRF token. */
  readonly method?: string | undefined;
}

/** Who sent the request, or the response that refuses it. */
export type Admission<U extends AuthUser = User, C extends ApplicationClaims = ApplicationClaims> =
  | { readonly admitted: true; readonly authentication: Authentication<U, C> }
  | { readonly admitted: false; readonly response: Response };

/** The part of an `Auth`, whatever its user and claims types, that `requireUser` needs. */
export type Gate = Pick<Auth<AuthUser>, "admit">;

/**
 * What `A` proves of a request, under the application's own types. Express and Fastify know one type of `auth` for the
 * requests of all applications, so there it is said once more.
 *
 * @example
 * app.get("/api/roles", requireUser(auth), (req, res) => {
 *   const { payload } = req.auth as AuthenticationOf<typeof auth>;
 *   res.json(payload.roles);
 * });
 */
export type AuthenticationOf<A extends Gate> = Extract<
  Awaited<ReturnType<A["admit"]>>,
  { readonly admitted: true }
>["authentication"];

/** Whether this node can answer; `reason` says why not. */
export type Health = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/**
 * Token-pair authentication over one store. Every method rejects with an `AuthError` where the answer is no, and with
 * `code: "unavailable"` or a `StoreUnavailableError`, and nothing changed, where the store cannot answer.
 */
export interface Auth<U extends AuthUser = User, C extends ApplicationClaims = ApplicationClaims> {
  /** Checks the schema and loads the revocations; until then no access token is accepted. @throws SchemaVersionError */
  ready(): Promise<void>;
  /** Whether the store answers and the revocations are fresh. */
  health(): Promise<Health>;
  /** What this node knows of revocations, for metrics: how many it holds, and how old that knowledge may be. */
  revocations(): { readonly live: number; readonly staleSeconds: number };
  /** What hashing passwords has to do on this node at this moment, for metrics; `shed` counts from the start. */
  passwords(): HashLoad;
  /**
   * Stops the feed and every signal, and fulfils once the audit log has what waited for it. The store stays open: it is
   * yours, to be closed after that.
   */
  close(): Promise<void>;

  /**
   * Checks a password and starts a session. Give it `origin.ip` and, from a device that has logged in before, `device`:
   * failures are counted by them. @throws AuthError `no_active_account`; `throttled`, with `retryAfter`
   */
  login(credentials: Credentials, options?: LoginOptions): Promise<PasswordLoginResult<U>>;
  /** Starts a session for a user whom you have authenticated yourself. @throws AuthError `no_active_account` */
  issue(userId: string, options?: IssueOptions): Promise<LoginResult<U>>;
  /** Exchanges a refresh token for the next pair, by the rule of rotation. */
  refresh(refreshToken: string, options?: RefreshOptions): Promise<RefreshResult>;
  /** The claims of a live token of either kind. */
  verify(token: string): Promise<VerifiedClaims<C>>;
  /**
   * Proves who sent a request, from its headers: a bearer token or the access cookie. From memory: no I/O, unless
   * `loadUser` or `checkUserIsActive` is on. A cookie also needs the CSRF token, unless `method` is a safe one.
   */
  authenticate(headers: HeaderSource, options?: RequestOptions): Promise<Authentication<U, C>>;
  /**
   * As `authenticate`, with a refusal as the contract's response: what `requireUser` of the adapters sends. Where memory is
   * enough, which is nearly always, the answer itself and no promise of it; `await` takes either.
   */
  admit(headers: HeaderSource, options?: RequestOptions): Admission<U, C> | Promise<Admission<U, C>>;
  /**
   * Ends a session, by any of its refresh tokens or by verified claims. Durable, and in force here, when it fulfils.
   * `origin`, here and below, is told in the events.
   */
  logout(session: string | SessionOwner, scope?: LogoutScope, origin?: RequestOrigin): Promise<void>;
  /** Aborts when the token expires or is revoked: for WebSockets, server-sent events and long polls. */
  signal(claims: Authentication<U, C>): AbortSignal;
  /** Ends one access token; its session goes on. */
  revokeToken(tokenId: string, origin?: RequestOrigin): Promise<void>;
  /** Changes one's own password; the asking session goes on with the new pair. @throws AuthError `password_refused` */
  changePassword(change: PasswordChange): Promise<SessionPair>;

  readonly sessions: {
    /** Live sessions of a user, newest first. */
    list(userId: string): Promise<readonly SessionView[]>;
    label(owner: SessionOwner, label: string | null): Promise<SessionView>;
    /** Ends one session; with `userId`, only that user's. @throws AuthError `session_not_found` */
    end(sessionId: string, userId?: string, origin?: RequestOrigin): Promise<void>;
    /** Ends every session and access token of a user. */
    endAllOf(userId: string, origin?: RequestOrigin): Promise<Ended>;
    /** Ends every session and access token there is. */
    endAll(origin?: RequestOrigin): Promise<Ended>;
  };

  /** tokenpair's own user table. */
  readonly users: {
    /** `null`: the name is taken. @throws AuthError `password_refused`; TypeError with `findUser` of your own */
    create(user: NewUserInput, origin?: RequestOrigin): Promise<User | null>;
    findByName(username: string): Promise<User | null>;
    disable(userId: string, origin?: RequestOrigin): Promise<Ended>;
    enable(userId: string, origin?: RequestOrigin): Promise<void>;
    /** @throws AuthError `password_refused`; TypeError with `findUser` of your own */
    setPassword(userId: string, password: string, origin?: RequestOrigin): Promise<Ended>;
    delete(userId: string, origin?: RequestOrigin): Promise<Ended>;
    /** Forgets the user's failed logins; how many counts that were. @throws AuthError `user_not_found` */
    unlock(userId: string, origin?: RequestOrigin): Promise<number>;
  };

  /** Forgets the failed logins from an address, of IPv6 from its /64. @throws TypeError where it is no IP address */
  unlockAddress(ip: string, origin?: RequestOrigin): Promise<number>;

  /** Answers the endpoints of the contract. `connection.ip` is the address at the other end of the socket. */
  fetch(request: Request, connection?: { readonly ip?: string }): Promise<Response>;
  /** Whether `fetch` has an endpoint below this path. */
  handles(pathname: string): boolean;
  /** Hears every event; returns the way to stop. */
  on(listener: EventListener): () => void;
}
