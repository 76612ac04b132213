import type { AuthenticationRequirement } from "./core/authentication.ts";
import type { ApplicationClaims } from "./core/claims.ts";
import type { ClientInfo } from "./core/client-info.ts";
import type { Settings } from "./core/settings/settings.ts";
import type { Store } from "./core/store/index.ts";
import type { AuthUser, User } from "./core/user.ts";
import type { EventType, RefreshOutcome } from "./events/events.ts";
import type { IssueOptions } from "./flows/issue.ts";
import type { ConnectionInfo } from "./http/request/client-ip.ts";
import type { HeaderSource } from "./http/request/headers.ts";
import type { SignalEnd } from "./revocation/signals.ts";

/**
 * The options of `createAuth`: a store, keys, and every setting that differs from its default.
 *
 * @typeParam U the application's users, if it has its own user table.
 * @typeParam C the claims that the application adds to tokens.
 */
export interface AuthOptions<U extends AuthUser = User, C extends object = ApplicationClaims>
  extends Partial<Settings<U, C>> {
  /** The database: `sqliteStore` of "tokenpair/sqlite" or `postgresStore` of "tokenpair/postgres". Required. */
  readonly store: Store;
  /**
   * The key that signs access tokens: a private key as PEM or JWK (ES256, EdDSA, RS256, …), from `tokenpair keys generate`; or an
   * HMAC secret with at least as many bytes as its hash, 32 for HS256. A secret is used as UTF-8 bytes, unchanged: trim it if it
   * comes from a file. What looks like a path, URL or placeholder is refused. Required, unless `keyEncryptionKey` turns on the key
   * ring. Default: none.
   */
  readonly signingKey?: string | Uint8Array | undefined;
  /**
   * The installation's secret, of at least 32 bytes: the keys of refresh, CSRF and device tokens derive from it. All nodes share
   * it, and it stays when the signing key changes: to move from an HMAC secret to a private key, set it to the former signing
   * key. Required if `signingKey` is a private key, unless `keyEncryptionKey` is set: the first node then makes a secret.
   * Default: `signingKey`, if that is an HMAC secret.
   */
  readonly secret?: string | Uint8Array | undefined;
  /**
   * The key that verifies simplejwt's refresh tokens: its `SIGNING_KEY` (by default Django's `SECRET_KEY`) for an HMAC algorithm,
   * else its `VERIFYING_KEY` as PEM. It never signs. Until `legacyRefreshUntil`, each token is accepted once and redeemed for a
   * session. Default: none.
   */
  readonly legacyRefreshKey?: string | Uint8Array | undefined;
  /** Called with every error that the client only sees as a 500 or 503. Default: emits a process warning. */
  readonly onError?: (error: unknown) => void;
  /**
   * Called for every revocation that arrives through the feed, with the seconds since it was appended by the database's
   * clock. Not called for the first load. Must be fast and must not throw. Default: none.
   */
  readonly onLag?: (seconds: number) => void;
  /** Must not be set: tokenpair takes the verifying key from `signingKey`. Default: none. */
  readonly verifyingKey?: undefined;
}

/** Who sent a request. An option of every method that emits an event or is throttled. */
export interface ClientOptions {
  /** Recorded with the events. Default: nothing is known. */
  readonly client?: ClientInfo;
}

/** A request as `authenticate` and `check` read it: a Fetch `Request`, Node's `IncomingMessage`, or any object with these members. */
export interface RequestLike {
  /** The headers, as a Fetch `Headers` or as a record like Node's. */
  readonly headers: HeaderSource;
  /** The HTTP method. Default: the request counts as unsafe, so a cookie also needs the CSRF token. */
  readonly method?: string | undefined;
  /** The URL or path. An absolute URL tells whether the request came by https. */
  readonly url?: string | undefined;
  /** The connection, as Node's `IncomingMessage` has it. Only development cookies need it. */
  readonly socket?: SocketLike | undefined;
}

/** The part of a connection that tokenpair reads. */
export interface SocketLike {
  /** The IP address at the other end. */
  readonly remoteAddress?: string | undefined;
}

/** Facts about a request that `Headers` or a Fetch `Request` don't contain, and what it requires. */
export interface RequestOptions extends AuthenticationRequirement {
  /** The HTTP method. Default: the request counts as unsafe, so a cookie also needs the CSRF token. */
  readonly method?: string | undefined;
  /** The connection. Only development cookies need it. Default: the request's own, if it has one. */
  readonly socket?: SocketLike | undefined;
}

/** How `auth.startSession` starts a session of a browser. */
export interface StartSessionOptions extends Omit<IssueOptions, "replaces"> {
  /** What is known about the connection. The adapters pass it. Default: the address of the request's socket. */
  readonly connection?: ConnectionInfo;
}

/** Options of `auth.cors` and of the adapters' `cors`. */
export interface CorsOptions {
  /**
   * Request headers that scripts may send besides `Content-Type`, `Idempotency-Key`, and those of the CSRF and access tokens.
   * Default: none.
   */
  readonly allowHeaders?: readonly string[];
  /** Response headers that scripts may read besides those that tokenpair sends. Default: none. */
  readonly exposeHeaders?: readonly string[];
}

/** Options of `auth.signal`. */
export interface SignalOptions {
  /** Another signal that also aborts the returned one, for example when the client disconnects. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /**
   * What the signal follows: the access token, or its session through refreshes. A session is looked up each time one of its
   * access tokens would have expired. A new password aborts the signal in any case. Default: "token".
   */
  readonly until?: SignalEnd | undefined;
}

/** Which users to list. */
export interface UserListOptions {
  /** The id of the last user of the previous page. Default: starts with the oldest user. */
  readonly after?: string | undefined;
  /** The maximum number of users to return. Default and maximum: 1000. */
  readonly limit?: number | undefined;
}

/** Which entries of the audit log to list. */
export interface AuditListOptions {
  /** Only entries about this user. Default: all. */
  readonly userId?: string | undefined;
  /** Only entries about this session. Default: all. */
  readonly sessionId?: string | undefined;
  /** Only entries of this type. Default: all. */
  readonly type?: EventType | undefined;
  /** With `type: "refresh"`: only refreshes with this outcome. Default: all. */
  readonly outcome?: RefreshOutcome | undefined;
  /** The earliest time: whole seconds since the epoch. Default: no limit. */
  readonly since?: number | undefined;
  /** The `cursor` of the previous page: lists what was committed since. Default: the newest entries. */
  readonly after?: string | undefined;
  /** The maximum number of entries to return. Default: 100. */
  readonly limit?: number | undefined;
}
