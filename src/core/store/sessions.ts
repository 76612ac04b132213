import type { CommitPosition, Revocation } from "../revocation.ts";
import type { RevokeReason, Session } from "../session.ts";
import type { AuditOf } from "./audit.ts";
import type { Guard } from "./guard.ts";

/** The sessions that a change has revoked, with the feed entries that the same transaction appended. */
export interface RevokedSessions {
  /** How many live sessions were revoked. */
  readonly sessions: number;
  /**
   * The feed entries. One entry can cover all sessions of a user, or all sessions, so there may be fewer entries than
   * sessions.
   */
  readonly revocations: readonly Revocation[];
  /** The transaction's position in the feed. Missing if the transaction appended nothing. */
  readonly position?: CommitPosition;
}

/** How to write a revocation. */
export interface RevocationOptions<T> {
  /** Returns what the transaction records about the change. Default: nothing is recorded. */
  readonly audit?: AuditOf<T> | undefined;
  /**
   * Whether the caller will wait until every node has applied the entries. If so, the nodes read them sooner. Default:
   * false.
   */
  readonly confirm?: boolean | undefined;
  /** Decides in the transaction whether the change is allowed. Only for changes of one user. Default: it is allowed. */
  readonly guard?: Guard | undefined;
}

/** The result if nothing was revoked. */
export const nothingRevoked: RevokedSessions = Object.freeze({ sessions: 0, revocations: [] });

/** The sessions. Each session is one row, no matter how often it is refreshed. */
export interface SessionStore {
  /**
   * Inserts a session while it holds a lock on the user's row. If the user is disabled or the password changed at the same
   * time, the login is refused. Revokes the session in `replaces` in the same transaction.
   */
  create(session: NewSession, audit?: AuditOf<CreatedSession>): Promise<CreateSessionOutcome>;
  /**
   * Does step 2 of a refresh: one conditional UPDATE on the session's primary key. Returns `null`, with nothing changed, if
   * it matched no row. Rotations that arrive at the same time may share a transaction, but each of them succeeds or fails
   * independently. A store never moves `idleExpiresAt` past `absoluteExpiresAt` (invariant I5).
   */
  rotate(rotation: Rotation): Promise<SessionAt | null>;
  /**
   * Does step 3 of a refresh: locks the row and passes it to `decide`. If the verdict says so, it revokes the session in
   * the same transaction. `decide` must be pure, because it may be called again.
   */
  decide<T>(
    sessionId: string,
    decide: (snapshot: SessionSnapshot | null) => Verdict<T>,
    options?: RevocationOptions<Decision<T>>,
  ): Promise<Decision<T>>;
  /**
   * Records that the session was used. Returns `null`, with nothing changed, unless user, epoch, generation and hash match,
   * and both the session and its user are live.
   */
  touch(use: SessionUse): Promise<SessionAt | null>;
  /**
   * Records that the user of a session was authenticated again: now, and by more methods. One conditional UPDATE: returns `null`,
   * with nothing changed, if user or epoch don't match, session or user aren't live, or the session has an actor. Of more methods
   * than a session can have, the least recently used are dropped.
   */
  reauthenticate(change: Reauthentication, audit?: AuditOf<SessionAt>): Promise<SessionAt | null>;
  /** Returns one session, live or not; `null` if there is none. */
  find(sessionId: string): Promise<SessionSnapshot | null>;
  /** Returns the live sessions of one user, or of all users, newest first. A session whose user has a higher epoch isn't live. */
  list(options: { readonly userId?: string; readonly limit: number }): Promise<SessionList>;
  /** Sets the label of a live session of this user. Returns `null` if this user has no such live session. */
  label(sessionId: string, userId: string, label: string | null): Promise<Session | null>;
  /** Revokes a live session, with `userId` only if it belongs to that user. If it isn't live, `sessions` is 0 in the result. */
  revoke(sessionId: string, reason: RevokeReason, options?: RevokeSessionOptions): Promise<RevokedSessions>;
  /** Revokes some sessions in one transaction, with one feed entry for each that was live. Pass few: their rows are locked. */
  revokeEach(
    ids: readonly string[],
    reason: RevokeReason,
    options?: RevocationOptions<RevokedSessions>,
  ): Promise<RevokedSessions>;
  /**
   * Raises the user's epoch, which revokes every session of the user. Appends one feed entry. `by` is the id of the session that
   * sends the request: locks it and the user first, and changes nothing unless both are live and the session is this user's.
   */
  revokeForUser(
    userId: string,
    reason: RevokeReason,
    options?: RevocationOptions<RevokedSessions> & { readonly by?: string | undefined },
  ): Promise<RevokedSessions>;
  /**
   * Raises the user's epoch and moves one session to the new epoch, which revokes the user's other sessions. Appends one
   * feed entry that excepts this session. The rows of the other sessions don't change, so the work doesn't grow with their
   * number. In the result, `sessions` is at most 1,000. Locks the user and the session first.
   *
   * @returns `null`, with nothing changed, if the user isn't active or has no such live session.
   */
  revokeOthers(
    owner: { readonly sessionId: string; readonly userId: string },
    reason: RevokeReason,
    options?: RevocationOptions<RevokedSessions>,
  ): Promise<RevokedSessions | null>;
  /** Raises the global epoch, which revokes every session, and every access token issued until now. Appends one feed entry. */
  revokeAll(reason: RevokeReason, options?: RevocationOptions<RevokedSessions>): Promise<RevokedSessions>;
}

/** How to revoke one session. */
export interface RevokeSessionOptions extends RevocationOptions<RevokedSessions> {
  /** The user who must own the session. Otherwise it is not revoked. Default: any user. */
  readonly userId?: string | undefined;
}

/** A session, and the database's time and global epoch when it was read or written. */
export interface SessionAt {
  /** The session. */
  readonly session: Session;
  /** The database's time, in whole seconds since the epoch. */
  readonly now: number;
  /** The global epoch. An access token that is issued for this result carries it. */
  readonly globalEpoch: number;
}

/** Live sessions, and the database's time when they were read. */
export interface SessionList {
  /** The sessions, newest first. */
  readonly sessions: readonly Session[];
  /** The database's time, in whole seconds since the epoch. */
  readonly now: number;
}

/** A session, its user's state, and the time, all from one consistent read. */
export interface SessionSnapshot extends SessionAt {
  /** The state of the session's user, or `null` if the user was deleted. */
  readonly user: SessionUser | null;
}

/** The state of a session's user. */
export interface SessionUser {
  /** Whether the user may have tokens. */
  readonly isActive: boolean;
  /** The user's epoch. */
  readonly epoch: number;
  /** Why the epoch was last raised. `null` if it was never raised, or if version 0.1 raised it. */
  readonly epochReason: RevokeReason | null;
}

/** A session to insert. */
export interface NewSession {
  /** The session's id, a UUIDv7 (RFC 9562 §5.7). */
  readonly id: string;
  /** The user who logs in. */
  readonly userId: string;
  /** The user's epoch when the user was authenticated. The insert is refused if the epoch has risen since. */
  readonly userEpoch: number;
  /** SHA-256 of the first generation's secret. */
  readonly currentHash: Uint8Array;
  /** How long the session lasts without a refresh, in seconds from now. */
  readonly idleLifetime: number;
  /** The longest time that the session can last, in seconds from now. */
  readonly absoluteLifetime: number;
  /** Whether a browser keeps the refresh cookie after it is closed. */
  readonly persistent: boolean;
  /** The client's `User-Agent` header. */
  readonly userAgent: string | null;
  /** The client's IP address. */
  readonly ip: string | null;
  /** When the user was authenticated: whole seconds since the epoch. A time in the future counts as now. Default: now. */
  readonly authenticatedAt?: number;
  /** How the user was authenticated: values with spaces between them. Default: unknown. */
  readonly amr?: string | null;
  /** Who acts for the user, in place of the user. Default: `null`. */
  readonly actor?: string | null;
  /** Whether to set the user's `lastLoginAt`. */
  readonly updateLastLogin: boolean;
  /** An earlier session of the same browser. It is revoked if it belongs to the given user. */
  readonly replaces?: {
    /** The earlier session's id. */
    readonly sessionId: string;
    /** The user named by the browser's tokens. */
    readonly userId: string;
  };
  /**
   * How long the access token that the caller will issue is valid, in seconds from now. It is never longer than the
   * absolute lifetime.
   */
  readonly accessLifetime: number;
  /**
   * How many live sessions the user may have. Beyond that, the least recently used ones, at most 10, are revoked with the
   * reason `limit`. Logins that race may exceed the limit. `null` means no limit.
   */
  readonly maxSessions: number | null;
}

/** A session that was inserted. */
export interface CreatedSession extends SessionAt {
  readonly outcome: "created";
  /** The feed entries of the replaced session and of the sessions beyond the limit, in this order. */
  readonly revocations: readonly Revocation[];
  /** The sessions that were revoked because the user had too many. */
  readonly limited: readonly string[];
  /**
   * Whether the user has logged in before, and neither an unrevoked session of this user nor the audit log has the new
   * session's user agent. False if the session has an actor. Sessions and logins with an actor aren't looked at.
   */
  readonly isNewDevice: boolean;
}

/** The result of `create`. */
export type CreateSessionOutcome =
  | CreatedSession
  | {
      readonly outcome: "refused";
      /** What has happened to the user since `userEpoch` was read. */
      readonly reason: "user_gone" | "user_inactive" | "user_epoch_changed";
    };

/** A rotation: generation n becomes n + 1. */
export interface Rotation {
  /** The session to rotate. */
  readonly sessionId: string;
  /** The presented token's user, who must own the session. */
  readonly userId: string;
  /** The presented token's epoch. The session's epoch must not be lower. */
  readonly userEpoch: number;
  /** The presented token's generation, n. */
  readonly generation: number;
  /** SHA-256 of the presented secret. */
  readonly presentedHash: Uint8Array;
  /** SHA-256 of the successor's secret. */
  readonly nextHash: Uint8Array;
  /** The salt that derives the successor's secret from the presented one. */
  readonly salt: Uint8Array;
  /** SHA-256 of the client's idempotency key, or `null` if the client sent none. */
  readonly idempotencyHash: Uint8Array | null;
  /** How long the session lasts without another refresh, in seconds from now. */
  readonly idleLifetime: number;
  /** How long the access token that the caller will issue is valid, in seconds from now. */
  readonly accessLifetime: number;
  /** The client's `User-Agent` header. `null` keeps the stored one. */
  readonly userAgent: string | null;
  /** The client's IP address. `null` keeps the stored one. */
  readonly ip: string | null;
  /** Whether the same transaction writes an audit entry. Default: false. */
  readonly isAudited?: boolean;
}

/** A use of a session that does not rotate its refresh token. */
export interface SessionUse {
  /** Whether the client gets a refresh token of the same generation. If so, `rotatedAt` is set. Default: false. */
  readonly issuesRefreshToken?: boolean;
  /** The session that was used. */
  readonly sessionId: string;
  /** The presented token's user, who must own the session. */
  readonly userId: string;
  /** The presented token's epoch. The session's epoch must not be lower. */
  readonly userEpoch: number;
  /** The presented token's generation. */
  readonly generation: number;
  /** SHA-256 of the presented secret. */
  readonly presentedHash: Uint8Array;
  /** How long the access token that the caller will issue is valid, in seconds from now. */
  readonly accessLifetime: number;
  /** The client's `User-Agent` header. `null` keeps the stored one. */
  readonly userAgent: string | null;
  /** The client's IP address. `null` keeps the stored one. */
  readonly ip: string | null;
}

/** A session's user was authenticated again. */
export interface Reauthentication {
  /** The session. */
  readonly sessionId: string;
  /** The session must be this user's. */
  readonly userId: string;
  /** The epoch under which the user was authenticated. It must be the session's. `null`: whichever it is. */
  readonly userEpoch: number | null;
  /** How: values with spaces between them. They are added to the session's. */
  readonly amr: string;
  /** How long the access token lives that the caller will issue: seconds from now. */
  readonly accessLifetime: number;
}

/** What was decided while the row was locked. */
export interface Verdict<T> {
  /** The value that `decide` returns to its caller. */
  readonly result: T;
  /** The reason for revoking the session. Default: the session is not revoked. */
  readonly revoke?: RevokeReason;
  /** The `exp` of an access token that the caller will issue, if it is later than the session's `accessUntil`. */
  readonly accessUntil?: number;
}

/** A verdict that has been carried out. */
export interface Decision<T> extends RevokedSessions {
  /** The verdict's result. */
  readonly result: T;
}
