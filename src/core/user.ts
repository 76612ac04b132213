import type { Role } from "./role.ts";

/** What tokenpair needs to know about a user. An application with its own user table may return more members. */
export interface AuthUser {
  /** The user's id, which is also the user claim of the tokens. */
  readonly id: string;
  /** The name that the user logs in with. */
  readonly username: string;
  /** Whether the user may log in and refresh. If `userAuthenticationRule` is set, that function decides instead. */
  readonly isActive: boolean;
}

/** A row of tokenpair's own user table. Times are whole seconds since the epoch. */
export interface User extends AuthUser {
  /** The email address, or `null` if the user has none. */
  readonly email: string | null;
  /** What the user may do as a member of the staff, in the console. `null` if the user isn't one. */
  readonly role: Role | null;
  /**
   * A counter that is raised when the user is disabled, gets a new password or is logged out everywhere. Raising it revokes
   * every older session and access token.
   */
  readonly epoch: number;
  /** When the row was inserted, or the time that an import specified. */
  readonly createdAt: number;
  /** When the user last logged in, or `null` before the first login. Logins while `updateLastLogin` is off don't count. */
  readonly lastLoginAt: number | null;
}

/** A user with the stored password hash. Only the flows for logins and passwords see it. */
export interface UserWithPassword extends User {
  /** The encoded hash, or `null` if the user can't log in with a password. */
  readonly passwordHash: string | null;
}
