/** What tokenpair must know of a user; applications with a table of their own return this, plus what they like. */
export interface AuthUser {
  readonly id: string;
  readonly username: string;
  readonly isActive: boolean;
}

/** A row of tokenpair's own user table. Times are whole seconds since the epoch. */
export interface User extends AuthUser {
  readonly email: string | null;
  readonly isStaff: boolean;
  /** Raised by disabling, a new password and "log out everywhere": every older session and access token ends. */
  readonly epoch: number;
  readonly createdAt: number;
  readonly lastLoginAt: number | null;
}

/** A user with the stored password hash; only the login and password flows see one. */
export interface UserWithPassword extends User {
  /** An encoded hash, or `null` where no password can log this user in. */
  readonly passwordHash: string | null;
}
