import type { AuthErrorCode } from "./errors.ts";
import type { RevokeReason } from "./session.ts";

/** Where a request came from and who asked, as far as the caller knows. */
export interface RequestOrigin {
  readonly ip?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Who asked, where it was not the user: "cli/root", or a name that the application gives its staff. */
  readonly actor?: string | undefined;
}

/** How a refresh ended. */
export type RefreshOutcome = "rotated" | "replayed" | "renewed" | "theft" | "state_lost" | "refused";

export type UserChange =
  | "created"
  | "imported"
  | "disabled"
  | "enabled"
  | "password_changed"
  | "password_rehashed"
  | "deleted";

/** When it happened: whole seconds since the epoch, on the store's clock where the store was asked. */
interface Timed {
  readonly time: number;
}

/** What somebody did or tried. */
interface Asked extends Timed {
  readonly origin: RequestOrigin;
}

/** A session has begun. */
export interface LoginEvent extends Asked {
  readonly type: "login";
  readonly userId: string;
  readonly sessionId: string;
}

/** The login just told of came from a user agent of which neither a session nor the audit log knew for this user. */
export interface NewDeviceEvent extends Asked {
  readonly type: "new_device";
  readonly userId: string;
  readonly sessionId: string;
}

/** A login, or the current password at a change of password, was refused. */
export interface LoginFailedEvent extends Asked {
  readonly type: "login_failed";
  readonly code: AuthErrorCode;
  readonly reason: string;
  /** Known where a user of our table has the name. */
  readonly userId?: string;
  /** Known where a logged-in user gave a wrong current password. */
  readonly sessionId?: string;
}

/** A refresh has ended, well or not. User, session and generation are known where the token was genuine. */
export interface RefreshEvent extends Asked {
  readonly type: "refresh";
  readonly outcome: RefreshOutcome;
  readonly userId?: string;
  readonly sessionId?: string;
  /** Of the presented token. */
  readonly generation?: number;
  /** Why there were no tokens. */
  readonly reason?: string;
}

/** One session, all of a user's (without `sessionId`), or all there are (without `userId` too) were ended. */
export interface SessionsEndedEvent extends Asked {
  readonly type: "sessions_ended";
  readonly reason: RevokeReason;
  readonly userId?: string;
  readonly sessionId?: string;
  /** How many were live. */
  readonly sessions: number;
}

/** One access token was ended before its time; its session goes on. */
export interface TokenRevokedEvent extends Asked {
  readonly type: "token_revoked";
  /** Its `jti`. */
  readonly tokenId: string;
}

/**
 * What there was too much of. Failed logins: on an account, from an address, from an address on an account (`pair`), from a
 * known device on an account. Requests to an endpoint, from an address.
 */
export type ThrottleScope = "account" | "address" | "pair" | "device" | RequestLimit;

/** The endpoints that are limited by address alone, each with an allowance of its own. */
export type RequestLimit = "refresh" | "verify" | "blacklist";

/** A request was refused because too many came before it; nobody looked at its password or token. */
export interface ThrottledEvent extends Asked {
  readonly type: "throttled";
  readonly scope: ThrottleScope;
  /** Seconds. */
  readonly retryAfter: number;
  /** Known where the account is one of tokenpair's own users. */
  readonly userId?: string;
}

/** What was counted of failed logins was forgotten by hand: a user's or, without `userId`, an address's. */
export interface UnlockedEvent extends Asked {
  readonly type: "unlocked";
  readonly userId?: string;
  readonly ip?: string;
}

/**
 * A user of tokenpair's own table was changed; a new password is such a change. `password_rehashed`: it is the same, and its
 * hash was brought up to date at a login.
 */
export interface UserChangedEvent extends Asked {
  readonly type: "user_changed";
  readonly userId: string;
  /** Of the user who changed the own password. */
  readonly sessionId?: string;
  readonly change: UserChange;
}

/** At a login that went well, an outdated password hash could not be brought up to date; the next login tries again. */
export interface RehashFailedEvent extends Asked {
  readonly type: "rehash_failed";
  readonly userId: string;
  readonly reason: string;
}

/** A signing key has come into use. */
export interface KeyChangedEvent extends Timed {
  readonly type: "key_changed";
  readonly change: "generated";
}

/** A request by cookie was refused: the CSRF token, the page that it came from, or a doubled cookie. */
export interface CsrfRefusedEvent extends Asked {
  readonly type: "csrf_refused";
  readonly reason: string;
  /** Of the session that the cookies name. */
  readonly userId?: string;
  readonly sessionId?: string;
}

/** This node has heard of no revocation for longer than `maxStaleness`, and fails closed. */
export interface FeedStaleEvent extends Timed {
  readonly type: "feed_stale";
  readonly staleSeconds: number;
  readonly reason: string;
}

/** It hears again. */
export interface FeedRecoveredEvent extends Timed {
  readonly type: "feed_recovered";
}

/** It has read everything again: the database was restarted or restored, or the wall clock was set back. */
export interface FeedReloadedEvent extends Timed {
  readonly type: "feed_reloaded";
  readonly revocations: number;
}

/** The store no longer wakes this node, which goes on polling. */
export interface ListenLostEvent extends Timed {
  readonly type: "listen_lost";
  readonly reason: string;
}

/** The store wakes this node again. */
export interface ListenRecoveredEvent extends Timed {
  readonly type: "listen_recovered";
}

/**
 * A neighbour, at a loopback or private address, has sent the header of a proxy without being one of `trustedProxies`: if it
 * is a proxy, all its clients count as one. Told once by each process.
 */
export interface UntrustedProxyEvent extends Timed {
  readonly type: "untrusted_proxy";
  /** Of the neighbour. */
  readonly ip: string;
  /** The header that was ignored: "X-Forwarded-For" or "Forwarded". */
  readonly header: string;
}

/** Events that no transaction writes did not get into the audit log: too many waited, or the store refused them. */
export interface AuditDroppedEvent extends Timed {
  readonly type: "audit_dropped";
  readonly count: number;
}

/** A message to the webhook was not taken; it is tried again, unless it is given up. */
export interface WebhookFailedEvent extends Timed {
  readonly type: "webhook_failed";
  /** Its `webhook-id`. */
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
  | SessionsEndedEvent
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

/** Receives every event, in order, synchronously. Must not throw; what it throws is swallowed. */
export type EventListener = (event: AuthEvent) => void;
