import type { AuditOf } from "./audit.ts";
import type { AuditStore } from "./audit-store.ts";
import type { FeedStore } from "./feed-store.ts";
import type { OutboxStore } from "./outbox-store.ts";
import type { Revocation } from "./revocation.ts";
import type { RevokeReason, Session } from "./session.ts";
import type { ThrottleStore } from "./throttle-store.ts";
import type { User, UserWithPassword } from "./user.ts";

/**
 * The seam between the rule and the database. Every method that changes something is one transaction that is durable
 * when its promise fulfils, and its answer says who won. Time is the database's clock. A method that cannot reach the
 * database, or waits too long for a lock, throws `StoreUnavailableError` (which says what that leaves open).
 *
 * A store never sees a token, a secret, a password or a request. Where a method takes an `audit`, the records that it makes
 * of the method's result are written in the transaction of the change, and none where there was no change.
 */
export interface Store {
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly feed: FeedStore;
  readonly throttle: ThrottleStore;
  readonly audit: AuditStore;
  readonly outbox: OutboxStore;
  /** Brings the schema up to date, safe beside other processes that do the same; names what was applied, in order. */
  migrate(): Promise<readonly string[]>;
  /** Fulfils where the schema is this version's. @throws SchemaVersionError where it is older or newer. */
  checkSchema(): Promise<void>;
  /**
   * Deletes at most `limit` dead sessions, as many revocations that no access token of the last `horizon` seconds can
   * need, as many counts of failed logins whose time is over, and as many audit entries older than `auditHorizon` seconds
   * (by default none). Call again while one of the counts equals `limit`.
   */
  deleteDead(options: {
    readonly limit: number;
    readonly horizon: number;
    readonly auditHorizon?: number;
  }): Promise<DeletedCounts>;
  /** What its connections are doing at this moment; a store in this process's own files has none. */
  readonly connections?: () => ConnectionUse;
  close(): Promise<void>;
}

export interface ConnectionUse {
  readonly open: number;
  readonly idle: number;
  /** Calls that wait for a connection. */
  readonly waiting: number;
  /** Calls that were refused since the start, as too many waited or their turn did not come in time. */
  readonly refused: number;
}

export interface DeletedCounts {
  readonly sessions: number;
  readonly revocations: number;
  readonly failures: number;
  readonly auditEntries: number;
}

/** Sessions that a change has ended, with the feed entries written in the same transaction. */
export interface Ended {
  readonly sessions: number;
  readonly revocations: readonly Revocation[];
}

export interface UserStore {
  /** Usernames are unique by `usernameKey`. Ids are never used twice. */
  create(
    user: NewUser,
    audit?: AuditOf<User>,
  ): Promise<{ readonly outcome: "created"; readonly user: User } | { readonly outcome: "name_taken" }>;
  /**
   * Inserts users of another system, in their order, and answers for each of them, in that order too. Nobody is changed who
   * is there already. With `dryRun` the answers are those of an import, and nothing is inserted.
   */
  importBatch(
    users: readonly ImportedUser[],
    options?: { readonly dryRun?: boolean; readonly audit?: AuditOf<ImportedBatch> | undefined },
  ): Promise<ImportedBatch>;
  /** The row that carries the epoch of a user kept in the application's own table; made on first sight, active. */
  ensure(id: string): Promise<User>;
  findById(id: string): Promise<UserWithPassword | null>;
  findByKey(usernameKey: string): Promise<UserWithPassword | null>;
  /** In order of creation, `limit` at most, after the user with the id `after`. */
  list(options: { readonly after?: string; readonly limit: number }): Promise<readonly User[]>;
  /** Deactivates, raises the epoch, ends every session. `null`: no such user. */
  disable(id: string, audit?: AuditOf<Ended>): Promise<Ended | null>;
  /** The time at which it was done; `null`: no such user. Ended sessions stay ended. */
  enable(id: string, audit?: AuditOf<number>): Promise<number | null>;
  /** Sets the hash, raises the epoch, ends every session. `null`: no such user. */
  setPassword(id: string, passwordHash: string, audit?: AuditOf<Ended>): Promise<Ended | null>;
  /**
   * Puts `to`, another hash of the same password, in the place of `from`, unless the password has changed meanwhile. Epoch
   * and sessions stay as they are. The time at which it was done; `null`: the user is gone, or has another hash.
   */
  replacePasswordHash(
    id: string,
    hashes: { readonly from: string; readonly to: string },
    audit?: AuditOf<number>,
  ): Promise<number | null>;
  /**
   * As `setPassword`, but `keep.sessionId` goes on under the new epoch with a generation of its own. `null`, and nothing
   * has changed, where the user is not active under `keep.userEpoch` or has no such live session: whoever asked was
   * overtaken by a reset, a disable or a logout.
   */
  changePassword(
    id: string,
    passwordHash: string,
    keep: KeepSession,
    audit?: AuditOf<Ended>,
  ): Promise<(Ended & Kept) | null>;
  /** How many users have a password hash of each form. Reads every user: for operators. */
  countHashForms(): Promise<readonly HashFormCount[]>;
  /** Deletes the user and ends every session. `null`: no such user. */
  delete(id: string, audit?: AuditOf<Ended>): Promise<Ended | null>;
}

export interface HashFormCount {
  /**
   * What stands before salt and hash: "$argon2id$v=19$" and its parameters, or one of Django's formats without any. Of
   * other texts the first character.
   */
  readonly form: string;
  readonly users: number;
}

export interface NewUser {
  /** Given for imported users; otherwise the next number. */
  readonly id?: string;
  readonly username: string;
  readonly usernameKey: string;
  readonly email: string | null;
  readonly isStaff: boolean;
  readonly passwordHash: string | null;
}

export interface ImportedUser extends NewUser {
  readonly isActive: boolean;
  /** `null`: now. */
  readonly createdAt: number | null;
  readonly lastLoginAt: number | null;
}

export interface ImportedBatch {
  readonly outcomes: readonly ImportOutcome[];
  readonly now: number;
}

export interface ImportOutcome {
  /**
   * `same`: there already, by the id and the name or, where no id was given, by the name. `id_taken`: a user of another name
   * has the id. `name_taken`: a user with another id has the name.
   */
  readonly outcome: "created" | "same" | "id_taken" | "name_taken";
  /** Of the user who was created, or who is there. */
  readonly userId: string;
}

export interface KeepSession {
  readonly sessionId: string;
  /** The epoch under which the current password was verified. */
  readonly userEpoch: number;
  /** SHA-256 of the secret of the new generation. */
  readonly nextHash: Uint8Array;
  /** Seconds from now. */
  readonly idleLifetime: number;
}

export interface Kept {
  readonly session: Session;
  readonly now: number;
}

export interface SessionStore {
  /**
   * Inserts the session while holding the user row, so that a login that races a disable or a new password is refused.
   * `replaces` is ended in the same transaction.
   */
  create(session: NewSession, audit?: AuditOf<CreatedSession>): Promise<CreateSessionOutcome>;
  /**
   * Step 2 of a refresh: one conditional UPDATE on the session's primary key. `null`: it matched no row, nothing changed.
   * Rotations that arrive together may share a transaction; each wins, loses or fails by itself. Wherever a
   * store moves `idleExpiresAt`, it stops at `absoluteExpiresAt` (invariant I5).
   */
  rotate(rotation: Rotation): Promise<{ readonly session: Session; readonly now: number } | null>;
  /**
   * Step 3 of a refresh: locks the row, shows it to `decide` and, where the verdict says so, revokes the session, all in
   * one transaction. `decide` is pure and may be run again.
   */
  decide<T>(
    sessionId: string,
    decide: (locked: LockedSession | null) => Verdict<T>,
  ): Promise<{
    readonly result: T;
    readonly revocations: readonly Revocation[];
  }>;
  /** Notes that the session was used, where generation and hash are current and session and user alive. */
  touch(use: SessionUse): Promise<{ readonly session: Session; readonly now: number } | null>;
  find(sessionId: string): Promise<LockedSession | null>;
  /** Live sessions, newest first; of one user, or of all. */
  list(options: { readonly userId?: string; readonly limit: number }): Promise<{
    readonly sessions: readonly Session[];
    readonly now: number;
  }>;
  /** Sets the label of a live session of this user. `null`: there is none. */
  label(sessionId: string, userId: string, label: string | null): Promise<Session | null>;
  /** Ends one live session; with `userId`, only where it is that user's. `sessions` is 0 where it was dead already. */
  revoke(
    sessionId: string,
    reason: RevokeReason,
    options?: { readonly userId?: string | undefined; readonly audit?: AuditOf<Ended> | undefined },
  ): Promise<Ended>;
  /** Ends every session of the user but `except`. Without `except` the epoch rises too. */
  revokeOfUser(
    userId: string,
    reason: RevokeReason,
    options?: { readonly except?: string | undefined; readonly audit?: AuditOf<Ended> | undefined },
  ): Promise<Ended>;
  /** Ends every session there is and cuts off every token issued until now. */
  revokeAll(reason: RevokeReason, audit?: AuditOf<Ended>): Promise<Ended>;
}

export interface NewSession {
  readonly id: string;
  readonly userId: string;
  /** The epoch under which the user was authenticated; the session is refused where it has risen since. */
  readonly userEpoch: number;
  readonly currentHash: Uint8Array;
  /** Seconds from now. */
  readonly idleLifetime: number;
  /** Seconds from now. */
  readonly absoluteLifetime: number;
  readonly persistent: boolean;
  readonly userAgent: string | null;
  readonly ip: string | null;
  readonly updateLastLogin: boolean;
  /** An earlier session of the same browser. */
  readonly replaces?: string;
}

export interface CreatedSession {
  readonly outcome: "created";
  readonly session: Session;
  readonly now: number;
  readonly revocations: readonly Revocation[];
  /** Neither a session of this user that nobody has ended nor the audit log knows the user agent of the new one. */
  readonly isNewDevice: boolean;
}

export type CreateSessionOutcome =
  | CreatedSession
  | { readonly outcome: "refused"; readonly reason: "user_gone" | "user_inactive" | "user_epoch_changed" };

export interface Rotation {
  readonly sessionId: string;
  readonly generation: number;
  /** SHA-256 of the presented secret. */
  readonly presentedHash: Uint8Array;
  /** SHA-256 of the successor's secret. */
  readonly nextHash: Uint8Array;
  readonly salt: Uint8Array;
  readonly attemptHash: Uint8Array | null;
  /** Seconds from now. */
  readonly idleLifetime: number;
  readonly userAgent: string | null;
  readonly ip: string | null;
  /** Whether the audit log gets an entry of it, in the same transaction. Default: false. */
  readonly isAudited?: boolean;
}

export interface SessionUse {
  readonly sessionId: string;
  readonly generation: number;
  readonly presentedHash: Uint8Array;
  readonly userAgent: string | null;
  readonly ip: string | null;
}

/** A session as one consistent look finds it, with what its user's row says and the store's time. */
export interface LockedSession {
  readonly session: Session;
  readonly user: { readonly isActive: boolean; readonly epoch: number } | null;
  readonly now: number;
}

/** What a locked look decided; `revoke` ends the session for that reason. */
export interface Verdict<T> {
  readonly result: T;
  readonly revoke?: RevokeReason;
  readonly audit?: AuditOf<readonly Revocation[]> | undefined;
}
