import type { User, UserWithPassword } from "../user.ts";
import type { AuditOf } from "./audit.ts";
import type { RevocationOptions, RevokedSessions, SessionAt } from "./sessions.ts";

/** The users: tokenpair's own table, which also holds the epochs of users that the application keeps. */
export interface UserStore {
  /** Inserts a user. Usernames are unique by `usernameKey`; ids are never used twice. */
  create(user: NewUser, audit?: AuditOf<User>): Promise<CreateUserOutcome>;
  /**
   * Inserts users of another system, in order, and returns an outcome for each. Never changes a user who exists
   * already. With `dryRun`, returns the outcomes of an import and inserts nothing.
   */
  importBatch(
    users: readonly ImportedUser[],
    options?: { readonly dryRun?: boolean; readonly audit?: AuditOf<ImportedBatch> | undefined },
  ): Promise<ImportedBatch>;
  /**
   * Returns the row that carries the epoch of a user in the application's own table. Inserts it, active, if it is
   * missing.
   */
  ensure(id: string): Promise<User>;
  /** Returns a user by id, or `null`. */
  findById(id: string): Promise<UserWithPassword | null>;
  /** Returns a user by the key of the username, or `null`. */
  findByKey(usernameKey: string): Promise<UserWithPassword | null>;
  /** Returns at most `limit` users in order of creation, after the user with the id `after`. */
  list(options: { readonly after?: string; readonly limit: number }): Promise<readonly User[]>;
  /**
   * Changes the members that are set in `patch`. Sessions stay. Returns `null` if there is no such user; `name_taken`,
   * with nothing changed, if another user has the name; `unchanged`, with nothing recorded, if every member has its
   * value already.
   */
  update(id: string, patch: UserPatch, audit?: AuditOf<UpdatedUser>): Promise<UpdateUserOutcome | null>;
  /**
   * Deactivates the user, raises the epoch and revokes every session. Returns `null` if there is no such user. If the
   * user is disabled already, it still raises the epoch, with a new feed entry, but records nothing.
   */
  disable(id: string, options?: RevocationOptions<DisabledUser>): Promise<DisabledUser | null>;
  /**
   * Activates the user. Revoked sessions stay revoked. Returns `null` if there is no such user. Records nothing if the
   * user is active already.
   */
  enable(id: string, audit?: AuditOf<EnabledUser>): Promise<EnabledUser | null>;
  /** Sets the hash, raises the epoch and revokes every session. Returns `null` if there is no such user. */
  setPassword(
    id: string,
    passwordHash: string,
    options?: RevocationOptions<RevokedSessions>,
  ): Promise<RevokedSessions | null>;
  /**
   * Replaces `from` with `to`, another hash of the same password. Epoch and sessions stay. Returns `null`, and changes
   * nothing, if the user is gone or has another hash by now.
   */
  replacePasswordHash(
    id: string,
    hashes: { readonly from: string; readonly to: string },
    audit?: AuditOf<ChangedUser>,
  ): Promise<ChangedUser | null>;
  /**
   * Sets the hash and raises the epoch as `setPassword` does, but keeps `keep.sessionId` under the new epoch, with a
   * new generation. Returns `null`, and changes nothing, if the user is not active under `keep.userEpoch` or has no
   * such live session: a reset, a disable or a logout came first.
   */
  changePassword(
    id: string,
    passwordHash: string,
    keep: KeepSession,
    options?: RevocationOptions<RevokedSessions>,
  ): Promise<(RevokedSessions & SessionAt) | null>;
  /**
   * Gives a user another username key: `key.to` instead of `key.from`. Changes nothing and returns `unchanged` if the user
   * has another key by now, or `taken` if another user has `key.to`.
   */
  replaceUsernameKey(
    id: string,
    key: { readonly from: string; readonly to: string },
  ): Promise<"replaced" | "taken" | "unchanged">;
  /** Counts the users with a password hash of each form. Reads every user: for operators. */
  countHashForms(): Promise<readonly HashFormCount[]>;
  /** Deletes the user and revokes every session. Returns `null` if there is no such user. */
  delete(id: string, options?: RevocationOptions<RevokedSessions>): Promise<RevokedSessions | null>;
}

/** A user to insert. */
export interface NewUser {
  /** Set for imported users. Default: the next number. */
  readonly id?: string;
  /** The name as the user wrote it. */
  readonly username: string;
  /** The form of the username that must be unique. */
  readonly usernameKey: string;
  /** `null` for none. */
  readonly email: string | null;
  /** Whether the user is marked as staff. */
  readonly isStaff: boolean;
  /** `null` if no password can log this user in. */
  readonly passwordHash: string | null;
}

/** The result of `create`. */
export type CreateUserOutcome =
  | {
      readonly outcome: "created";
      /** The new user. */
      readonly user: User;
    }
  | { readonly outcome: "name_taken" };

/** What to change about a user. `undefined` means "no change". */
export interface UserPatch {
  /** The new name, as the user wrote it. */
  readonly username: string | undefined;
  /** The form of the username that must be unique; set whenever `username` is. */
  readonly usernameKey: string | undefined;
  /** `null` removes the address. */
  readonly email: string | null | undefined;
  /** Whether the user is marked as staff. */
  readonly isStaff: boolean | undefined;
}

/** A user after `update`. */
export interface UpdatedUser extends ChangedUser {
  /** `unchanged`: every member of the patch had its value already. */
  readonly outcome: "updated" | "unchanged";
  /** The user as the database has it now. */
  readonly user: User;
}

/** The result of `update`. */
export type UpdateUserOutcome = UpdatedUser | { readonly outcome: "name_taken" };

/** When a user was changed. */
export interface ChangedUser {
  /** Whole seconds since the epoch. */
  readonly now: number;
}

/** The result of `disable`. */
export interface DisabledUser extends RevokedSessions {
  /** Present if the user was disabled already. */
  readonly wasDisabled?: true;
}

/** The result of `enable`. */
export interface EnabledUser extends ChangedUser {
  /** Present if the user was active already. */
  readonly wasEnabled?: true;
}

/** How many users have a password hash of one form. */
export interface HashFormCount {
  /**
   * The text before salt and hash: "$argon2id$v=19$" and its parameters, or the name of one of Django's formats. For
   * any other text, its first character.
   */
  readonly form: string;
  /** How many users have one. */
  readonly users: number;
}

/** A user of another system. */
export interface ImportedUser extends NewUser {
  /** Whether the user may log in. */
  readonly isActive: boolean;
  /** Whole seconds since the epoch; `null` for now. */
  readonly createdAt: number | null;
  /** Whole seconds since the epoch; `null` for never. */
  readonly lastLoginAt: number | null;
}

/** What became of a batch of imported users. */
export interface ImportedBatch {
  /** One for each user, in order. */
  readonly outcomes: readonly ImportOutcome[];
  /** Whole seconds since the epoch. */
  readonly now: number;
}

/** What became of one imported user. */
export interface ImportOutcome {
  /**
   * `same`: the user exists already, by id and name or, if no id was given, by name. `id_taken`: a user with another
   * name has the id. `name_taken`: a user with another id has the name.
   */
  readonly outcome: "created" | "same" | "id_taken" | "name_taken";
  /** The id of the user who was created, or who exists. */
  readonly userId: string;
}

/** The session that a password change keeps. */
export interface KeepSession {
  /** The session of the user who changes the password. */
  readonly sessionId: string;
  /** The epoch under which the current password was verified. */
  readonly userEpoch: number;
  /** SHA-256 of the new generation's secret. */
  readonly nextHash: Uint8Array;
  /** SHA-256 of the client's idempotency key, which a repeated request must have; `null` if the client sent none. */
  readonly changeHash: Uint8Array | null;
  /** How long the session lives without a refresh: seconds from now. */
  readonly idleLifetime: number;
  /** How long the access token lives that the caller will issue: seconds from now. */
  readonly accessLifetime: number;
}
