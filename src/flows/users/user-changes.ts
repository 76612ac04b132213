import type { ClientInfo } from "../../core/client-info.ts";
import type { Role } from "../../core/role.ts";
import type { Guard } from "../../core/store/guard.ts";

/** A user to create. */
export interface NewUserInput {
  /** The username, which must be unique. Surrounding white space is ignored. */
  readonly username: string;
  /** The password. Default: the user can't log in with a password. */
  readonly password?: string;
  /** The email address. Default: none. */
  readonly email?: string;
  /** The role, if the user is a member of the staff. Default: `null`. */
  readonly role?: Role | null;
}

/** The changes to make to a user. A missing member means "no change". */
export interface UserUpdate {
  /** The new username, which must be unique. Surrounding white space is ignored. */
  readonly username?: string;
  /** The new email address. `null` removes the address. */
  readonly email?: string | null;
  /** The new role. `null` removes the role. */
  readonly role?: Role | null;
}

/** The options of a change of a user that revokes nothing. */
export interface UserChangeOptions {
  /** Who sent the request. Default: nothing is known. */
  readonly client?: ClientInfo | undefined;
  /** Decides in the transaction whether the change is allowed. Default: it is allowed. */
  readonly guard?: Guard | undefined;
}
