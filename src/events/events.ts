import type { AuthErrorCode } from "../core/errors.ts";
import type { RevokeReason } from "../core/session.ts";
import type { BaseEvent, ClientEvent } from "./base-event.ts";
import type { FeedEvent } from "./feed-events.ts";
import type { KeyEvent } from "./key-events.ts";

/**
 * The result of a refresh. `redeemed`: the pair of a new session, for a refresh token of simplejwt. `rotated`: a new pair. `replayed`: the same successor again. `not_rotated`: a new access token,
 * with `rotateRefreshTokens` off. `rotation_ignored`: the same with `rotateRefreshTokens: "observe"`, but the client should have
 * replaced the presented token, which rotation would take for a reused one. `reuse_detected`: a spent token was presented outside the grace period, and its
 * session was revoked. `state_lost`: the token is genuine, but the database does not know it. `refused`: any other refusal.
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
  | "deleted";

/** A session was created. */
export interface LoginEvent extends ClientEvent {
  readonly type: "login";
  /** The session's user. */
  readonly userId: string;
  /** The new session. */
  readonly sessionId: string;
}

/** The login just before came from a user agent that no live session of the user has, and no login in the audit log. */
export interface NewDeviceEvent extends ClientEvent {
  readonly type: "new_device";
  /** The session's user. */
  readonly userId: string;
  /** The new session. */
  readonly sessionId: string;
}

/** A session's user was authenticated again, by the password or by the application. */
export interface SessionConfirmedEvent extends ClientEvent {
  readonly type: "session_confirmed";
  /** The session's user. */
  readonly userId: string;
  /** The session. */
  readonly sessionId: string;
  /** How the user was authenticated: RFC 8176 values with spaces between them. */
  readonly amr: string;
}

/** A login was refused, or the current password of a password change, or the password of a confirmation. */
export interface LoginFailedEvent extends ClientEvent {
  readonly type: "login_failed";
  /** The code of the error that the client got. */
  readonly code: AuthErrorCode;
  /** Why, in words for the log. The client doesn't see it. */
  readonly reason: string;
  /** Present if a user of tokenpair's own table has the name. */
  readonly userId?: string;
  /** Present if a logged-in user gave a wrong password. */
  readonly sessionId?: string;
}

/** A refresh succeeded or was refused. */
export interface RefreshEvent extends ClientEvent {
  readonly type: "refresh";
  /** The result. */
  readonly outcome: RefreshOutcome;
  /** Present if the token was genuine. */
  readonly userId?: string;
  /** Present if the token was genuine, and there is a session. */
  readonly sessionId?: string;
  /** The presented token's generation. Present if the token was genuine, and not one of simplejwt. */
  readonly generation?: number;
  /** Why the refresh was refused. Present if it was. */
  readonly reason?: string;
}

/** One session was revoked, all sessions of a user, or all there are. */
export interface SessionsRevokedEvent extends ClientEvent {
  readonly type: "sessions_revoked";
  /** What revoked them. */
  readonly reason: RevokeReason;
  /** Missing if all sessions there are were revoked, or one by its id alone. */
  readonly userId?: string;
  /** Present if one session was revoked. */
  readonly sessionId?: string;
  /** How many live sessions were revoked. */
  readonly sessions: number;
}

/** One access token was revoked, and not its session; or a refresh token of simplejwt that was not redeemed yet. */
export interface TokenRevokedEvent extends ClientEvent {
  readonly type: "token_revoked";
  /** The token's `jti`. */
  readonly tokenId: string;
}

/**
 * What exceeded its limit. Failed logins on an `account`, from an `address`, from one address on one account (`pair`), or
 * from a known `device` on an account; or requests from one address to an endpoint.
 */
export type ThrottleScope = "account" | "address" | "pair" | "device" | RateLimitedEndpoint;

/** The endpoints that are limited by address alone. Each has its own limit. */
export type RateLimitedEndpoint = "refresh" | "verify" | "blacklist";

/** A request was refused because too many came before it. Its password or token was not looked at. */
export interface ThrottledEvent extends ClientEvent {
  readonly type: "throttled";
  /** What exceeded its limit. */
  readonly scope: ThrottleScope;
  /** Seconds after which the client may try again. */
  readonly retryAfter: number;
  /** Present if the account is one of tokenpair's own users. */
  readonly userId?: string;
}

/** An operator cleared the counts of failed logins of a user or an address. */
export interface UnlockedEvent extends ClientEvent {
  readonly type: "unlocked";
  /** Present if the counts were a user's. */
  readonly userId?: string;
  /** Present if the counts were an address's. */
  readonly ip?: string;
}

/** A user of tokenpair's own table was changed. `password_rehashed`: the same password was hashed again at a login. */
export interface UserChangedEvent extends ClientEvent {
  readonly type: "user_changed";
  /** The changed user. */
  readonly userId: string;
  /** Present if users changed their own password: the session in which they did. */
  readonly sessionId?: string;
  /** What was changed. */
  readonly change: UserChange;
}

/** After a successful login, an outdated password hash could not be replaced. The next login tries again. */
export interface RehashFailedEvent extends ClientEvent {
  readonly type: "rehash_failed";
  /** The user who logged in. */
  readonly userId: string;
  /** What failed. */
  readonly reason: string;
}

/** A signing key came into use. */
export interface KeyChangedEvent extends BaseEvent {
  readonly type: "key_changed";
  /** What was done with the key. */
  readonly change: "generated";
}

/** At the start, if `legacyRefreshUntil` is set: whether refresh tokens of simplejwt are accepted. */
export interface LegacyKeyEvent extends BaseEvent {
  readonly type: "legacy_key";
  /** `ignored`: the time is over. */
  readonly state: "accepted" | "ignored";
  /** Until when they are accepted: whole seconds since the epoch. */
  readonly until: number;
  /** How many tokens are known to be revoked. With 0, simplejwt's token_blacklist was probably not imported. */
  readonly revokedTokens: number;
}

/** A request with cookies was refused: wrong CSRF token, wrong origin, or two cookies with one name. */
export interface CsrfRefusedEvent extends ClientEvent {
  readonly type: "csrf_refused";
  /** Why the request was refused. */
  readonly reason: string;
  /** Present if the cookies name a session: its user. */
  readonly userId?: string;
  /** Present if the cookies name a session. */
  readonly sessionId?: string;
}

/** A write to the store failed, and so did a probe. The node writes probes until one succeeds. */
export interface StoreUnwritableEvent extends BaseEvent {
  readonly type: "store_unwritable";
  /** Why the probe failed. */
  readonly reason: string;
}

/** The store can be written to again. */
export interface StoreRecoveredEvent extends BaseEvent {
  readonly type: "store_recovered";
}

/**
 * A request came through a unix socket without a client address from a trusted proxy. All such requests count as one
 * address. Emitted once per process.
 */
export interface ClientAddressUnknownEvent extends BaseEvent {
  readonly type: "client_address_unknown";
  /** Whether `trustedProxies` contains "unix". If so, the proxy sent no address in `forwardedHeader`. */
  readonly isTrusted: boolean;
}

/**
 * A request from a loopback or private address had a proxy's header, and the address is not in `trustedProxies`. If it is a
 * proxy, all its clients count as one. Emitted once per process.
 */
export interface UntrustedProxyEvent extends BaseEvent {
  readonly type: "untrusted_proxy";
  /** The sender's address. */
  readonly ip: string;
  /** The header that was ignored: "X-Forwarded-For" or "Forwarded". */
  readonly header: string;
}

/** Audit entries were dropped: too many were waiting, or the store refused them. */
export interface AuditDroppedEvent extends BaseEvent {
  readonly type: "audit_dropped";
  /** How many entries were dropped. */
  readonly count: number;
}

/** The webhook's receiver did not accept a message. It is sent again unless `isGivenUp`. */
export interface WebhookFailedEvent extends BaseEvent {
  readonly type: "webhook_failed";
  /** The message's `webhook-id`. */
  readonly messageId: string;
  /** How often the message has been sent. */
  readonly attempts: number;
  /** Whether this was the last attempt. */
  readonly isGivenUp: boolean;
  /** What failed: the response's status, or an error's code or name. */
  readonly reason: string;
}

/** What happened, for the log, metrics and the audit log. Never holds a token, secret, password or hash. */
export type AuthEvent =
  | LoginEvent
  | NewDeviceEvent
  | SessionConfirmedEvent
  | LoginFailedEvent
  | RefreshEvent
  | SessionsRevokedEvent
  | TokenRevokedEvent
  | ThrottledEvent
  | UnlockedEvent
  | UserChangedEvent
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

/** The event of one type. */
export type EventOfType<T extends EventType> = Extract<AuthEvent, { readonly type: T }>;

/** Receives every event, in order, synchronously. Errors it throws are ignored. */
export type EventListener = (event: AuthEvent) => void;

/** Returns the events that describe a change. */
export type EventsOf<T> = (change: T) => readonly AuthEvent[];
