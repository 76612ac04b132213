import type { Role } from "../role.ts";
import type { User, UserWithPassword } from "../user.ts";
import type { AuditOf } from "./audit.ts";
import type { Guard } from "./guard.ts";
import type { RevocationOptions, RevokedSessions, SessionAt } from "./sessions.ts";

/**
 * Tokenpair's own user table. If the users are in the application's own table, this table has a row with the epoch of each
 * of them.
 */
export interface UserStore {
  /**
   * Inserts a user. Usernames are unique by `usernameKey`. An id is never used twice. `guard` decides in the transaction whether
   * it is allowed; its target is the actor.
   */
  create(user: NewUser, audit?: AuditOf<User>, guard?: Guard): Promise<CreateUserOutcome>;
  /**
   * Inserts users of another system, in order, and returns an outcome for each. Never changes an existing user. With
   * `dryRun`, returns the outcomes that an import would have, and inserts nothing.
   */
  importBatch(
    users: readonly ImportedUser[],
    options?: { readonly dryRun?: boolean; readonly audit?: AuditOf<ImportedBatch> | undefined },
  ): Promise<ImportedBatch>;
  /**
   * Returns the row with the epoch of a user in the application's own table. If the row is missing, inserts it as an active
   * user.
   */
  ensure(id: string): Promise<User>;
  /** Returns the user with this id, or `null` if there is no such user. */
  findById(id: string): Promise<UserWithPassword | null>;
  /** Returns the user with this username key, or `null` if there is no such user. */
  findByKey(usernameKey: string): Promise<UserWithPassword | null>;
  /** Returns at most `limit` users in the order of their creation, starting after the user with the id `after`. */
  list(options: { readonly after?: string; readonly limit: number }): Promise<readonly User[]>;
  /**
   * Changes the members that are set in `patch`. The user's sessions continue. Returns `null` if there is no such user.
   * Returns `name_taken`, with nothing changed, if another user has the name. Returns `unchanged`, with nothing recorded,
   * if every member already has its value.
   */
  update(id: string, patch: UserPatch, options?: ChangeOptions<UpdatedUser>): Promise<UpdateUserOutcome | null>;
  /**
   * Deactivates the user, raises the epoch and revokes every session. Returns `null` if there is no such user. If the user
   * is already disabled, it still raises the epoch, with a new feed entry, but records nothing.
   */
  disable(id: string, options?: RevocationOptions<DisabledUser>): Promise<DisabledUser | null>;
  /**
   * Activates the user. Revoked sessions stay revoked. Returns `null` if there is no such user. Records nothing if the user
   * is already active.
   */
  enable(id: string, options?: ChangeOptions<EnabledUser>): Promise<EnabledUser | null>;
  /** Sets the hash, raises the epoch and revokes every session. Returns `null` if there is no such user. */
  setPassword(
    id: string,
    passwordHash: string,
    options?: RevocationOptions<RevokedSessions>,
  ): Promise<RevokedSessions | null>;
  /**
   * Replaces `from` with `to`, a different hash of the same password. The epoch and the sessions don't change. Returns
   * `null`, with nothing changed, if the user no longer exists or has a hash other than `from`.
   */
  replacePasswordHash(
    id: string,
    hashes: { readonly from: string; readonly to: string },
    audit?: AuditOf<ChangedUser>,
  ): Promise<ChangedUser | null>;
  /**
   * Sets the hash and raises the epoch, like `setPassword`, but keeps the session `keep.sessionId` under the new epoch,
   * with a new generation. Returns `null`, with nothing changed, if the user is not active under `keep.userEpoch` or has no
   * such live session. In that case, a reset, a disable or a logout came first.
   */
  changePassword(
    id: string,
    passwordHash: string,
    keep: KeepSession,
    options?: RevocationOptions<RevokedSessions>,
  ): Promise<(RevokedSessions & SessionAt) | null>;
  /**
   * Replaces a user's username key `key.from` with `key.to`. Returns `unchanged` if the user no longer has `key.from`.
   * Returns `taken` if another user has `key.to`. In both cases, nothing has changed.
   */
  replaceUsernameKey(
    id: string,
    key: { readonly from: string; readonly to: string },
  ): Promise<"replaced" | "taken" | "unchanged">;
  /** Counts the users with a password hash of each form. It reads every user, so call it only for operators. */
  countHashForms(): Promise<readonly HashFormCount[]>;
  /** Deletes the user and revokes every session. Returns `null` if there is no such user. */
  delete(id: string, options?: RevocationOptions<RevokedSessions>): Promise<RevokedSessions | null>;
}

/** The options of a change of one user. */
export interface ChangeOptions<T> {
  /** Returns what the transaction records about the change. Default: nothing is recorded. */
  readonly audit?: AuditOf<T> | undefined;
  /** Decides in the transaction whether the change is allowed. Default: it is allowed. */
  readonly guard?: Guard | undefined;
}

/** A user to insert. */
export interface NewUser {
  /** The user's id. Set for imported users. Default: the next number. */
  readonly id?: string;
  /** The name as the user wrote it. */
  readonly username: string;
  /** The form of the username that is unique. */
  readonly usernameKey: string;
  /** The email address, or `null` if the user has none. */
  readonly email: string | null;
  /** The role of a member of the staff, or `null`. */
  readonly role: Role | null;
  /** The password hash, or `null` if the user can't log in with a password. */
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

/** The changes to make to a user. `undefined` means "no change". */
export interface UserPatch {
  /** The new name, as the user wrote it. */
  readonly username: string | undefined;
  /** The form of the new username that is unique. Set if `username` is set. */
  readonly usernameKey: string | undefined;
  /** The new email address. `null` removes the address. */
  readonly email: string | null | undefined;
  /** The new role. `null` removes the role. */
  readonly role: Role | null | undefined;
}

/** The result of a successful `update`. */
export interface UpdatedUser extends ChangedUser {
  /** `unchanged` means that every member of the patch already had its value. */
  readonly outcome: "updated" | "unchanged";
  /** The user as it is now stored. */
  readonly user: User;
}

/** The result of `update`. */
export type UpdateUserOutcome = UpdatedUser | { readonly outcome: "name_taken" };

/** A user that was changed. */
export interface ChangedUser {
  /** The time of the change, in whole seconds since the epoch. */
  readonly now: number;
}

/** The result of `disable`. */
export interface DisabledUser extends RevokedSessions {
  /** Present if the user was already disabled. */
  readonly wasDisabled?: true;
}

/** The result of `enable`. */
export interface EnabledUser extends ChangedUser {
  /** Present if the user was already active. */
  readonly wasEnabled?: true;
}

/** How many users have a password hash of one form. */
export interface HashFormCount {
  /**
   * The part of the hash before the salt: "$argon2id$v=19$" and its parameters, or the name of one of Django's formats. For
   * any other text, its first character.
   */
  readonly form: string;
  /** The number of users whose hash has this form. */
  readonly users: number;
}

/** A user of another system. */
export interface ImportedUser extends NewUser {
  /** Whether the user may log in. */
  readonly isActive: boolean;
  /** When the user was created, in whole seconds since the epoch. `null` means now. */
  readonly createdAt: number | null;
  /** When the user last logged in, in whole seconds since the epoch. `null` means never. */
  readonly lastLoginAt: number | null;
}

/** The result of importing a batch of users. */
export interface ImportedBatch {
  /** The outcomes, one for each user, in the order of the users. */
  readonly outcomes: readonly ImportOutcome[];
  /** The time of the import, in whole seconds since the epoch. */
  readonly now: number;
}

/** The result of importing one user. */
export interface ImportOutcome {
  /**
   * `same`: the user already exists with the same id and name or, if no id was given, with the same name. `id_taken`: a
   * user with a different name has the id. `name_taken`: a user with a different id has the name.
   */
  readonly outcome: "created" | "same" | "id_taken" | "name_taken";
  /** The id of the user who was created or already exists. */
  readonly userId: string;
}

/** The session that a password change keeps. */
export interface KeepSession {
  /** The session of the user who changes the password. */
  readonly sessionId: string;
  /** The user's epoch when the current password was verified. */
  readonly userEpoch: number;
  /** SHA-256 of the new generation's secret. */
  readonly nextHash: Uint8Array;
  /**
   * SHA-256 of the client's idempotency key, or `null` if the client sent none. A repeated request must have the same key.
   */
  readonly changeHash: Uint8Array | null;
  /** How long the session lasts without a refresh, in seconds from now. */
  readonly idleLifetime: number;
  /** How long the access token that the caller will issue is valid, in seconds from now. */
  readonly accessLifetime: number;
}
