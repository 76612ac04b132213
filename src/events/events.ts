import type { RevokeReason } from "../core/session.ts";
import type { BaseEvent, ClientEvent } from "./base-event.ts";
import type { FeedEvent } from "./feed-events.ts";
import type { KeyEvent } from "./key-events.ts";
import type { LoginEvents } from "./login-events.ts";
import type { StaffEvent } from "./staff-events.ts";

/**
 * The result of a refresh. `rotated`: a new pair. `replayed`: the same new token again. `redeemed`: the pair of a new
 * session, for a refresh token of simplejwt. `not_rotated`: a new access token, with `rotateRefreshTokens: false`.
 * `rotation_ignored`: the same with `rotateRefreshTokens: "observe"`, but the client should have replaced the presented
 * token. With rotation, this would count as reuse. `reuse_detected`: a spent token was presented outside the grace period,
 * and its session was revoked. `state_lost`: the token is genuine, but the database does not know it. `refused`: any other
 * refusal.
 */
export type RefreshOutcome =
  | "redeemed"
  | "rotated"
  | "replayed"
  | "not_rotated"
  | "rotation_ignored"
  | "reuse_detected"
  | "state_lost"
  | "refused";

/** What was changed about a user. */
export type UserChange =
  | "created"
  | "imported"
  | "updated"
  | "disabled"
  | "enabled"
  | "password_changed"
  | "password_rehashed"
  | "deleted"
  | "erased";

/** A refresh succeeded or was refused. */
export interface RefreshEvent extends ClientEvent {
  readonly type: "refresh";
  /** The result. */
  readonly outcome: RefreshOutcome;
  /** The token's user. Present if the token was genuine. */
  readonly userId?: string;
  /** The token's session. Present if the token was genuine and has a session. */
  readonly sessionId?: string;
  /** The generation of the presented token. Present if the token was genuine and not a token of simplejwt. */
  readonly generation?: number;
  /** Why the refresh was refused. Present only if it was refused. */
  readonly reason?: string;
}

/** Sessions were revoked: one session, all sessions of a user, or all sessions of all users. */
export interface SessionsRevokedEvent extends ClientEvent {
  readonly type: "sessions_revoked";
  /** Why the sessions were revoked. */
  readonly reason: RevokeReason;
  /**
   * The user whose sessions were revoked. Missing if all sessions of all users were revoked, or if one session was revoked
   * by its id alone.
   */
  readonly userId?: string;
  /** The session that was revoked. Present only if it was a single session. */
  readonly sessionId?: string;
  /** How many live sessions were revoked. */
  readonly sessions: number;
}

/** One access token was revoked without its session, or a refresh token of simplejwt was revoked before it was redeemed. */
export interface TokenRevokedEvent extends ClientEvent {
  readonly type: "token_revoked";
  /** The token's `jti`. */
  readonly tokenId: string;
}

/**
 * The limit that was exceeded. Failed logins are limited for an `account`, for an `address`, for one address on one account
 * (`pair`), and for a known `device` on an account. The other values are endpoints, which limit the requests from one
 * address.
 */
export type ThrottleScope = "account" | "address" | "pair" | "device" | RateLimitedEndpoint;

/** The endpoints that are limited only by address. Each of them has its own limit. */
export type RateLimitedEndpoint = "refresh" | "verify" | "blacklist";

/** A request was refused because of too many earlier ones. Its password or token was not checked. */
export interface ThrottledEvent extends ClientEvent {
  readonly type: "throttled";
  /** The limit that was exceeded. */
  readonly scope: ThrottleScope;
  /** The number of seconds after which the client may try again. */
  readonly retryAfter: number;
  /** The account's user. Present if the account belongs to a user of tokenpair's own table. */
  readonly userId?: string;
}

/** An operator cleared the counts of failed logins for a user or an address. */
export interface UnlockedEvent extends ClientEvent {
  readonly type: "unlocked";
  /** The user whose counts were cleared. Missing if they were an address's counts, or if only the name is known. */
  readonly userId?: string;
  /** The address whose counts were cleared. Missing if they were a user's counts. */
  readonly ip?: string;
}

/**
 * A user in tokenpair's own table was changed. `password_rehashed` means that the same password was hashed again at a
 * login. `erased` means that entries about a deleted user lost their IP addresses and user agents.
 */
export interface UserChangedEvent extends ClientEvent {
  readonly type: "user_changed";
  /** The user who was changed. */
  readonly userId: string;
  /** The session in which users changed their own password. Present only in that case. */
  readonly sessionId?: string;
  /** What was changed. */
  readonly change: UserChange;
}

/** An outdated password hash could not be replaced after a successful login. The next login tries again. */
export interface RehashFailedEvent extends ClientEvent {
  readonly type: "rehash_failed";
  /** The user who logged in. */
  readonly userId: string;
  /** Why the hash could not be replaced. */
  readonly reason: string;
}

/** A new signing key is in use. */
export interface KeyChangedEvent extends BaseEvent {
  readonly type: "key_changed";
  /** What was done with the key. */
  readonly change: "generated";
}

/** Says at startup whether refresh tokens of simplejwt are accepted. Emitted if `legacyRefreshUntil` is set. */
export interface LegacyKeyEvent extends BaseEvent {
  readonly type: "legacy_key";
  /** Whether these tokens are accepted. `ignored` means that the time in `legacyRefreshUntil` has passed. */
  readonly state: "accepted" | "ignored";
  /** The time until which they are accepted, in whole seconds since the epoch. */
  readonly until: number;
  /**
   * The number of tokens that are known to be revoked. If it is 0, simplejwt's token_blacklist was probably not imported.
   */
  readonly revokedTokens: number;
}

/** A request with cookies was refused, because of a wrong CSRF token, a wrong origin, or two cookies with the same name. */
export interface CsrfRefusedEvent extends ClientEvent {
  readonly type: "csrf_refused";
  /** Why the request was refused. */
  readonly reason: string;
  /** The user of the session in the cookies. Present if the cookies contain a session. */
  readonly userId?: string;
  /** The session in the cookies. Present if the cookies contain a session. */
  readonly sessionId?: string;
}

/** A write to the store failed, and so did a test write. The node repeats the test write until one succeeds. */
export interface StoreUnwritableEvent extends BaseEvent {
  readonly type: "store_unwritable";
  /** Why the test write failed. */
  readonly reason: string;
}

/** The store can be written to again. */
export interface StoreRecoveredEvent extends BaseEvent {
  readonly type: "store_recovered";
}

/**
 * A request came through a unix socket, and no trusted proxy said which client sent it. All such requests count as one
 * address. Emitted only once per process.
 */
export interface ClientAddressUnknownEvent extends BaseEvent {
  readonly type: "client_address_unknown";
  /** Whether `trustedProxies` contains "unix". If so, the proxy sent no address in `forwardedHeader`. */
  readonly isTrusted: boolean;
}

/**
 * A request from a loopback or private address had a proxy's header, but the address is not in `trustedProxies`. If the
 * sender is a proxy, all its clients count as one address. Emitted only once per process.
 */
export interface UntrustedProxyEvent extends BaseEvent {
  readonly type: "untrusted_proxy";
  /** The sender's address. */
  readonly ip: string;
  /** The header that was ignored: "X-Forwarded-For" or "Forwarded". */
  readonly header: string;
}

/** Audit entries were dropped, because too many were waiting or because the store refused them. */
export interface AuditDroppedEvent extends BaseEvent {
  readonly type: "audit_dropped";
  /** How many entries were dropped. */
  readonly count: number;
}

/** The receiver of the webhook did not accept a message. The message is sent again unless `isGivenUp` is true. */
export interface WebhookFailedEvent extends BaseEvent {
  readonly type: "webhook_failed";
  /** The message's `webhook-id`. */
  readonly messageId: string;
  /** How often the message has been sent. */
  readonly attempts: number;
  /** Whether this was the last attempt. */
  readonly isGivenUp: boolean;
  /** Why the attempt failed: the status of the response, or the code or name of an error. */
  readonly reason: string;
}

/**
 * Something that happened, for the log, the metrics and the audit log. An event never contains a token, secret, password or
 * hash.
 */
export type AuthEvent =
  | LoginEvents
  | RefreshEvent
  | SessionsRevokedEvent
  | TokenRevokedEvent
  | ThrottledEvent
  | UnlockedEvent
  | UserChangedEvent
  | StaffEvent
  | RehashFailedEvent
  | KeyChangedEvent
  | LegacyKeyEvent
  | KeyEvent
  | CsrfRefusedEvent
  | FeedEvent
  | StoreUnwritableEvent
  | StoreRecoveredEvent
  | UntrustedProxyEvent
  | ClientAddressUnknownEvent
  | AuditDroppedEvent
  | WebhookFailedEvent;

/** The type of an event, such as "login". */
export type EventType = AuthEvent["type"];

/** An event of one type. */
export type EventOfType<T extends EventType> = Extract<AuthEvent, { readonly type: T }>;

/** Receives every event, in order and synchronously. Errors that it throws are ignored. */
export type EventListener = (event: AuthEvent) => void;

/** Returns the events that describe a change. It must be pure. */
export type EventsOf<T> = (change: T) => readonly AuthEvent[];
