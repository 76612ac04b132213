import type { AuthenticationRequirement } from "./core/authentication.ts";
import type { ApplicationClaims } from "./core/claims.ts";
import type { ClientInfo } from "./core/client-info.ts";
import type { Settings } from "./core/settings/settings.ts";
import type { Store } from "./core/store/index.ts";
import type { AuthUser, User } from "./core/user.ts";
import type { EventType, RefreshOutcome } from "./events/events.ts";
import type { IssueOptions } from "./flows/sessions/issue.ts";
import type { ConnectionInfo } from "./http/request/client-ip.ts";
import type { HeaderSource } from "./http/request/headers.ts";
import type { SignalEnd } from "./revocation/signals.ts";

/**
 * The options of `createAuth`: a store, keys, and every setting that differs from its default.
 *
 * @typeParam U the type of the application's users, if it has its own user table.
 * @typeParam C the type of the claims that the application adds to tokens.
 */
export interface AuthOptions<U extends AuthUser = User, C extends object = ApplicationClaims>
  extends Partial<Settings<U, C>> {
  /** The database: `sqliteStore` from "tokenpair/sqlite" or `postgresStore` from "tokenpair/postgres". Required. */
  readonly store: Store;
  /**
   * The key that signs access tokens. It is either a private key as PEM or JWK (ES256, EdDSA, RS256, …), which
   * `tokenpair keys generate` creates, or an HMAC secret. A secret must have at least as many bytes as its hash: 32 for
   * HS256. Its UTF-8 bytes are used unchanged, so trim it if it comes from a file. A value that looks like a path, a URL or
   * a placeholder is refused. Required, unless `keyEncryptionKey` turns on the key ring. Default: none.
   */
  readonly signingKey?: string | Uint8Array | undefined;
  /**
   * The installation's secret, of at least 32 bytes. The keys of refresh, CSRF and device tokens are derived from it. All
   * nodes share it, and it stays the same when the signing key changes. To move from an HMAC secret to a private key, set
   * `secret` to the former signing key. Required if `signingKey` is a private key, unless `keyEncryptionKey` is set: in
   * that case, the first node creates a secret. Default: `signingKey`, if that is an HMAC secret.
   */
  readonly secret?: string | Uint8Array | undefined;
  /**
   * The key that verifies refresh tokens of simplejwt. For an HMAC algorithm, it is simplejwt's `SIGNING_KEY` (by default
   * Django's `SECRET_KEY`), otherwise its `VERIFYING_KEY` as PEM. It never signs. Until `legacyRefreshUntil`, each of these
   * tokens is accepted once and redeemed for a session. Default: none.
   */
  readonly legacyRefreshKey?: string | Uint8Array | undefined;
  /** Called with every error that the client only sees as a 500 or 503. Default: emits a process warning. */
  readonly onError?: (error: unknown) => void;
  /**
   * Called for every revocation that arrives through the feed, with the number of seconds since it was appended, by the
   * database's clock. Not called for the first load. Must be fast and must not throw. Default: none.
   */
  readonly onLag?: (seconds: number) => void;
  /** Must not be set: tokenpair takes the verifying key from `signingKey`. Default: none. */
  readonly verifyingKey?: undefined;
}

/** An option of every method that emits an event or is throttled: who sent the request. */
export interface ClientOptions {
  /** Who sent the request. Recorded with the events. Default: nothing is known. */
  readonly client?: ClientInfo;
}

/**
 * The part of a request that `authenticate` and `check` read: a Fetch `Request`, Node's `IncomingMessage`, or any object
 * with these members.
 */
export interface RequestLike {
  /** The headers, as a Fetch `Headers` object or as a record like Node's. */
  readonly headers: HeaderSource;
  /** The HTTP method. Default: the request counts as unsafe, so authentication by cookie also needs the CSRF token. */
  readonly method?: string | undefined;
  /** The URL or path. An absolute URL says whether the request came by https. */
  readonly url?: string | undefined;
  /** The connection, in the form of Node's `IncomingMessage`. Only development cookies need it. */
  readonly socket?: SocketLike | undefined;
}

/** The part of a connection that tokenpair reads. */
export interface SocketLike {
  /** The IP address of the other end. */
  readonly remoteAddress?: string | undefined;
}

/** Facts about a request that `Headers` or a Fetch `Request` don't contain, and what it requires. */
export interface RequestOptions extends AuthenticationRequirement {
  /** The HTTP method. Default: the request counts as unsafe, so a cookie also needs the CSRF token. */
  readonly method?: string | undefined;
  /** The connection. Only development cookies need it. Default: the request's `socket`, if it has one. */
  readonly socket?: SocketLike | undefined;
}

/** The options of `auth.check`. */
export interface CheckOptions extends RequestOptions {
  /**
   * What an unsafe request by cookie must have besides the cookie. `"stated-origin"` is for requests that can't carry the CSRF
   * token, such as a server action: the browser must have stated in `Sec-Fetch-Site` or `Origin` that the page is of the
   * server's origin or a trusted one. Default: "token".
   */
  readonly csrf?: "token" | "stated-origin" | undefined;
}

/** The options of the adapters' `requirePage`: the login page, and what the page requires of the user's authentication. */
export interface PageOptions extends AuthenticationRequirement {
  /** The path of your login page, as browsers see it. It gets the requested page in its query, as `next`. Default: "/login". */
  readonly loginPath?: string | undefined;
}

/** The options of `auth.resume`: the login page, and facts about a request that `Headers` don't contain. */
export interface ResumeOptions extends Pick<PageOptions, "loginPath">, Pick<RequestOptions, "method" | "socket"> {
  /** The URL or path of the request. Needed if the request has none, or if a framework has shortened it. Default: `request.url`. */
  readonly url?: string | undefined;
}

/** The options of `auth.checkPage`: those of `auth.resume`, and what the page requires of the user's authentication. */
export interface CheckPageOptions extends ResumeOptions, AuthenticationRequirement {}

/** How `auth.startSession` starts a session of a browser. */
export interface StartSessionOptions extends Omit<IssueOptions, "replaces"> {
  /** What is known about the connection. The adapters pass it. Default: the address of the request's socket. */
  readonly connection?: ConnectionInfo;
}

/** The options of `auth.requireCsrfToken`. */
export interface CsrfCheckOptions {
  /** The token that a form has sent, unchecked. Anything but a text is refused. Default: the token is in the header. */
  readonly token?: unknown;
}

/** Options of `auth.cors` and of the adapters' `cors`. */
export interface CorsOptions {
  /**
   * Further request headers that scripts may send. `Content-Type`, `Idempotency-Key`, and the headers of the CSRF and
   * access tokens are always allowed. Default: none.
   */
  readonly allowHeaders?: readonly string[];
  /**
   * Further response headers that scripts may read. The headers that tokenpair sends are always readable. Default: none.
   */
  readonly exposeHeaders?: readonly string[];
}

/** The options of `auth.signal`. */
export interface SignalOptions {
  /**
   * Another signal that also aborts the returned one, for example when the client disconnects. From then on, the node keeps
   * nothing for it. Without this option, the node follows the token or session to its end. Default: none.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * What the signal follows: `"token"`, the access token, or `"session"`, its session through refreshes. With `"session"`,
   * the node looks the session up each time one of its access tokens would have expired. A new password aborts the signal
   * in either case. Default: "token".
   */
  readonly until?: SignalEnd | undefined;
}

/** The options of `auth.users.list`: which users to return. */
export interface UserListOptions {
  /** The id of the last user of the previous page. Default: the list starts with the oldest user. */
  readonly after?: string | undefined;
  /** The maximum number of users to return. Default and maximum: 1000. */
  readonly limit?: number | undefined;
}

/** The options of `auth.audit.list`: which entries to return. */
export interface AuditListOptions {
  /** Returns only entries about this user. Default: all users. */
  readonly userId?: string | undefined;
  /** Returns only entries about this session. Default: all sessions. */
  readonly sessionId?: string | undefined;
  /** Returns only entries of this type. Default: all types. */
  readonly type?: EventType | undefined;
  /** Returns only refreshes with this outcome. Use it with `type: "refresh"`. Default: all outcomes. */
  readonly outcome?: RefreshOutcome | undefined;
  /** Returns only entries from this time or later, in whole seconds since the epoch. Default: no limit. */
  readonly since?: number | undefined;
  /** The `cursor` of the previous page. Returns only entries that were committed after it. Default: the newest entries. */
  readonly after?: string | undefined;
  /** The maximum number of entries to return. Default: 100. */
  readonly limit?: number | undefined;
}
