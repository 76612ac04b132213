import type { AuditListOptions, ClientOptions, UserListOptions } from "./auth-options.ts";
import type { AuditList } from "./auth-results.ts";
import type { User } from "./core/user.ts";
import type { Confirmed, RevokedAndConfirmed } from "./flows/commit.ts";
import type { SessionOwner } from "./flows/logout.ts";
import type { RevocationRequest, RevokeOptions, SessionView } from "./flows/sessions.ts";
import type { NewUserInput, UserUpdate } from "./flows/users.ts";

/** The sessions: `auth.sessions`. */
export interface AuthSessions {
  /**
   * Returns the live sessions of a user, newest first; at most 1,000.
   *
   * @example
   * const sessions = await auth.sessions.list(userId);
   * console.log(sessions.map(({ userAgent, lastUsedAt }) => `${userAgent} at ${lastUsedAt}`));
   */
  list(userId: string): Promise<readonly SessionView[]>;
  /**
   * Sets the label of a session, or removes it with `null`.
   *
   * @throws AuthError `session_not_found` if the user has no such live session.
   * @example
   * await auth.sessions.label({ userId, sessionId }, { label: "Kitchen tablet" });
   */
  label(session: SessionOwner, options: { readonly label: string | null }): Promise<SessionView>;
  /**
   * Revokes one session and its access tokens. Durable when the promise fulfils.
   *
   * @param options.userId revokes the session only if it is this user's.
   * @throws AuthError `session_not_found` if there is no such live session, or it is another user's.
   * @example
   * await auth.sessions.revoke(sessionId, { userId });
   */
  revoke(sessionId: string, options?: RevokeOptions): Promise<Confirmed>;
  /**
   * Revokes every session and access token of a user.
   *
   * @example
   * const { sessions } = await auth.sessions.revokeAllForUser(userId, { client: { actor: "support/bob" } });
   */
  revokeAllForUser(userId: string, options?: RevocationRequest): Promise<RevokedAndConfirmed>;
  /** Revokes every session and access token there is: all users have to log in again. */
  revokeAll(options?: RevocationRequest): Promise<RevokedAndConfirmed>;
}

/** Tokenpair's own user table: `auth.users`. */
export interface AuthUsers {
  /**
   * Creates a user.
   *
   * @throws AuthError `username_taken`; `username_invalid`, `email_invalid` or `password_refused`, whose `reason` is a
   * sentence for people. TypeError if `findUser` is set: then your application keeps the users.
   * @example
   * const { id } = await auth.users.create({ username: "alice", password: "correct horse battery staple" });
   */
  create(user: NewUserInput, options?: ClientOptions): Promise<User>;
  /** Returns the user with this id, or `null`. */
  find(userId: string): Promise<User | null>;
  /** Returns the user with this name, or `null`. */
  findByName(username: string): Promise<User | null>;
  /**
   * Returns users in order of creation, at most 1,000 at once.
   *
   * @throws TypeError if `limit` is not a positive whole number.
   * @example
   * const first = await auth.users.list({ limit: 100 });
   * const second = await auth.users.list({ limit: 100, after: first.at(-1)?.id });
   */
  list(options?: UserListOptions): Promise<readonly User[]>;
  /**
   * Changes a user's name, email address or staff flag. The user's sessions stay.
   *
   * @throws AuthError `user_not_found`; `username_taken`; `username_invalid` or `email_invalid`, whose `reason` is a sentence
   * for people. TypeError if `findUser` is set.
   * @example
   * await auth.users.update(userId, { email: "alice@example.com" });
   */
  update(userId: string, changes: UserUpdate, options?: ClientOptions): Promise<User>;
  /**
   * Deactivates a user and revokes all of the user's sessions.
   *
   * @throws AuthError `user_not_found`.
   * @example
   * await auth.users.disable(userId, { client: { actor: "support/bob" } });
   */
  disable(userId: string, options?: RevocationRequest): Promise<RevokedAndConfirmed>;
  /**
   * Activates a user again. Revoked sessions stay revoked.
   *
   * @throws AuthError `user_not_found`.
   */
  enable(userId: string, options?: ClientOptions): Promise<void>;
  /**
   * Sets a user's password and revokes all of the user's sessions.
   *
   * @throws AuthError `user_not_found`; `password_refused`, whose `reason` is a sentence for people. TypeError if `findUser`
   * is set.
   */
  setPassword(userId: string, password: string, options?: RevocationRequest): Promise<RevokedAndConfirmed>;
  /**
   * Deletes a user and revokes all of the user's sessions.
   *
   * @throws AuthError `user_not_found`.
   */
  delete(userId: string, options?: RevocationRequest): Promise<RevokedAndConfirmed>;
}

/** The counts of failed logins: `auth.throttle`. */
export interface AuthThrottle {
  /**
   * Clears a user's failed logins, and so unlocks the account.
   *
   * @returns how many counts were cleared.
   * @throws AuthError `user_not_found`.
   */
  clearUser(userId: string, options?: ClientOptions): Promise<number>;
  /**
   * Clears the failed logins from an IP address, on all accounts; for IPv6, from its /64.
   *
   * @returns how many counts were cleared.
   * @throws TypeError if `ip` is not an IP address.
   */
  clearAddress(ip: string, options?: ClientOptions): Promise<number>;
}

/** The audit log: `auth.audit`. */
export interface AuthAudit {
  /**
   * Returns entries, oldest first: without `after` the newest that match, with `after` those committed since.
   *
   * @throws TypeError if `limit` is not a positive whole number.
   * @example
   * let { cursor } = await auth.audit.list({ limit: 1 });
   * const { entries } = await auth.audit.list({ after: cursor, type: "login_failed" });
   */
  list(options?: AuditListOptions): Promise<AuditList>;
}
