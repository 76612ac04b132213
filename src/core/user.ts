/** What tokenpair must know about a user. An application with its own user table may return more members. */
export interface AuthUser {
  /** The user's id: the tokens' user claim. */
  readonly id: string;
  /** The name that the user logs in with. */
  readonly username: string;
  /** Whether the user may log in and refresh, unless `userAuthenticationRule` decides it. */
  readonly isActive: boolean;
}

/** A row of tokenpair's own user table. Times are whole seconds since the epoch. */
export interface User extends AuthUser {
  /** `null` if the user has no address. */
  readonly email: string | null;
  /** Whether the user is a member of the staff. For your application: tokenpair does not check it. */
  readonly isStaff: boolean;
  /** Raised by a disable, a new password and a logout everywhere. That revokes every older session and access token. */
  readonly epoch: number;
  /** When the row was inserted, or the time that an import gave. */
  readonly createdAt: number;
  /** The time of the last login; `null` before the first, or if `updateLastLogin` was off then. */
  readonly lastLoginAt: number | null;
}

/** A user with the stored password hash. Only the login and password flows see it. */
export interface UserWithPassword extends User {
  /** The encoded hash; `null` if no password can log this user in. */
  readonly passwordHash: string | null;
}
