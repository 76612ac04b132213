import type { ClientInfo } from "../core/client-info.ts";
import type { AuthErrorCode } from "../core/errors.ts";
import type { RevokeReason } from "../core/session.ts";

/**
 * The result of a refresh. `rotated`: a new pair. `replayed`: the same successor again. `not_rotated`: a new access token
 * only, with `rotateRefreshTokens: false`. `reuse_detected`: a spent token was presented outside the grace period, and its
 * session was revoked. `state_lost`: the token is genuine, but the database does not know it. `refused`: any other refusal.
 */
export type RefreshOutcome = "rotated" | "replayed" | "not_rotated" | "reuse_detected" | "state_lost" | "refused";

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

/** An event. */
export interface Timed {
  /** When it happened: whole seconds since the epoch, on the database's clock if the database was asked. */
  readonly time: number;
}

/** An event that a request caused. */
export interface Requested extends Timed {
  /** Who sent the request. */
  readonly client: ClientInfo;
}

/** A session was created. */
export interface LoginEvent extends Requested {
  readonly type: "login";
  readonly userId: string;
  readonly sessionId: string;
}

/** The login just before came from a user agent that neither the user's sessions nor the audit log know. */
export interface NewDeviceEvent extends Requested {
  readonly type: "new_device";
  readonly userId: string;
  readonly sessionId: string;
}

/** A login was refused, or the current password of a password change. */
export interface LoginFailedEvent extends Requested {
  readonly type: "login_failed";
  readonly code: AuthErrorCode;
  readonly reason: string;
  /** Present if a user of tokenpair's own table has the name. */
  readonly userId?: string;
  /** Present if a logged-in user gave a wrong current password. */
  readonly sessionId?: string;
}

/** A refresh succeeded or was refused. User, session and generation are present if the token was genuine. */
export interface RefreshEvent extends Requested {
  readonly type: "refresh";
  readonly outcome: RefreshOutcome;
  readonly userId?: string;
  readonly sessionId?: string;
  /** The presented token's generation. */
  readonly generation?: number;
  /** Why the refresh was refused. */
  readonly reason?: string;
}

/** Sessions were revoked: one, all of a user's (without `sessionId`), or all there are (without `userId` too). */
export interface SessionsRevokedEvent extends Requested {
  readonly type: "sessions_revoked";
  readonly reason: RevokeReason;
  readonly userId?: string;
  readonly sessionId?: string;
  /** How many live sessions were revoked. */
  readonly sessions: number;
}

/** One access token was revoked; its session was not. */
export interface TokenRevokedEvent extends Requested {
  readonly type: "token_revoked";
  /** The token's `jti`. */
  readonly tokenId: string;
}

/**
 * What exceeded its limit. Failed logins on an `account`, from an `address`, from one address on one account (`pair`), or
 * from a known `device` on an account; or requests from one address to an endpoint.
 */
export type ThrottleScope = "account" | "address" | "pair" | "device" | RateLimitedEndpoint;

/** The endpoints that are limited by address alone. Each has a limit of its own. */
export type RateLimitedEndpoint = "refresh" | "verify" | "blacklist";

/** A request was refused because too many came before it. Its password or token was not looked at. */
export interface ThrottledEvent extends Requested {
  readonly type: "throttled";
  readonly scope: ThrottleScope;
  /** Seconds. */
  readonly retryAfter: number;
  /** Present if the account is one of tokenpair's own users. */
  readonly userId?: string;
}

/** An operator cleared the counts of failed logins of a user or, without `userId`, of an address. */
export interface UnlockedEvent extends Requested {
  readonly type: "unlocked";
  readonly userId?: string;
  readonly ip?: string;
}

/** A user of tokenpair's own table was changed. `password_rehashed`: the same password was hashed again at a login. */
export interface UserChangedEvent extends Requested {
  readonly type: "user_changed";
  readonly userId: string;
  /** The session that asked, if users changed their own password. */
  readonly sessionId?: string;
  readonly change: UserChange;
}

/** After a successful login, an outdated password hash could not be replaced. The next login tries again. */
export interface RehashFailedEvent extends Requested {
  readonly type: "rehash_failed";
  readonly userId: string;
  readonly reason: string;
}

/** A signing key came into use. */
export interface KeyChangedEvent extends Timed {
  readonly type: "key_changed";
  readonly change: "generated";
}

/** A request with cookies was refused: wrong CSRF token, wrong origin, or two cookies with one name. */
export interface CsrfRefusedEvent extends Requested {
  readonly type: "csrf_refused";
  readonly reason: string;
  /** The user of the session that the cookies name. */
  readonly userId?: string;
  /** The session that the cookies name. */
  readonly sessionId?: string;
}

/** This node has not read the revocation feed for longer than `maxStaleness`, and fails closed. */
export interface FeedStaleEvent extends Timed {
  readonly type: "feed_stale";
  readonly staleSeconds: number;
  readonly reason: string;
}

/** This node reads the revocation feed again. */
export interface FeedRecoveredEvent extends Timed {
  readonly type: "feed_recovered";
}

/** This node has read the whole feed again: the database was restarted or restored, or the wall clock was set back. */
export interface FeedReloadedEvent extends Timed {
  readonly type: "feed_reloaded";
  readonly revocations: number;
}

/** The database no longer notifies this node of revocations. The node keeps polling. */
export interface ListenLostEvent extends Timed {
  readonly type: "listen_lost";
  readonly reason: string;
}

/** The database notifies this node of revocations again. */
export interface ListenRecoveredEvent extends Timed {
  readonly type: "listen_recovered";
}

/**
 * A request from a loopback or private address had a proxy's header, and the address is not in `trustedProxies`. If it is a
 * proxy, all its clients count as one. Emitted once per process.
 */
export interface UntrustedProxyEvent extends Timed {
  readonly type: "untrusted_proxy";
  /** The sender's address. */
  readonly ip: string;
  /** The header that was ignored: "X-Forwarded-For" or "Forwarded". */
  readonly header: string;
}

/** Audit entries were dropped: too many were waiting, or the store refused them. */
export interface AuditDroppedEvent extends Timed {
  readonly type: "audit_dropped";
  readonly count: number;
}

/** The webhook's receiver did not accept a message. It is sent again unless `isGivenUp`. */
export interface WebhookFailedEvent extends Timed {
  readonly type: "webhook_failed";
  /** The message's `webhook-id`. */
  readonly messageId: string;
  readonly attempts: number;
  readonly isGivenUp: boolean;
  readonly reason: string;
}

/** What happened, for logs, metrics and audit. Never holds a token, secret, password or hash. */
export type AuthEvent =
  | LoginEvent
  | NewDeviceEvent
  | LoginFailedEvent
  | RefreshEvent
  | SessionsRevokedEvent
  | TokenRevokedEvent
  | ThrottledEvent
  | UnlockedEvent
  | UserChangedEvent
  | RehashFailedEvent
  | KeyChangedEvent
  | CsrfRefusedEvent
  | FeedStaleEvent
  | FeedRecoveredEvent
  | FeedReloadedEvent
  | ListenLostEvent
  | ListenRecoveredEvent
  | UntrustedProxyEvent
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
