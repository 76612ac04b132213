import type { AuditListOptions, ClientOptions, UserListOptions } from "./auth-options.ts";
import type { AuditList } from "./auth-results.ts";
import type { ErasedUser } from "./core/store/audit.ts";
import type { User } from "./core/user.ts";
import type { Confirmed, RevocationRequest, RevokedAndConfirmed } from "./flows/commit.ts";
import type { SessionOwner } from "./flows/sessions/logout.ts";
import type { RevokeOptions, SessionView } from "./flows/sessions/sessions.ts";
import type { NewUserInput, UserUpdate } from "./flows/users/user-changes.ts";

/** The methods of `auth.sessions`: they list, label and revoke sessions. */
export interface AuthSessions {
  /**
   * Returns the live sessions of a user, newest first. Returns at most 1,000.
   *
   * @example
   * const sessions = await auth.sessions.list(userId);
   * console.log(sessions.map(({ userAgent, lastUsedAt }) => `${userAgent} at ${lastUsedAt}`));
   */
  list(userId: string): Promise<readonly SessionView[]>;
  /**
   * Sets the label of a session, or removes it with `null`.
   *
   * @throws AuthError `session_not_found` if this user has no live session with this id.
   * @example
   * await auth.sessions.label({ userId, sessionId }, { label: "Kitchen tablet" });
   */
  label(session: SessionOwner, options: { readonly label: string | null }): Promise<SessionView>;
  /**
   * Revokes one session and its access tokens. The revocation is durable when the promise fulfils.
   *
   * @param options.userId the user who must own the session. Default: any user.
   * @throws AuthError `session_not_found` if there is no live session with this id, or if it belongs to a different user.
   * @example
   * await auth.sessions.revoke(sessionId, { userId });
   */
  revoke(sessionId: string, options?: RevokeOptions): Promise<Confirmed>;
  /**
   * Revokes all sessions and access tokens of a user.
   *
   * @example
   * const { sessions } = await auth.sessions.revokeAllForUser(userId, { client: { actor: "support/bob" } });
   */
  revokeAllForUser(userId: string, options?: RevocationRequest): Promise<RevokedAndConfirmed>;
  /** Revokes all sessions and access tokens of all users. Every user must log in again. */
  revokeAll(options?: RevocationRequest): Promise<RevokedAndConfirmed>;
}

/** The methods of `auth.users`: they manage tokenpair's own user table. */
export interface AuthUsers {
  /**
   * Creates a user.
   *
   * @throws AuthError `username_taken`, `username_invalid`, `email_invalid` or `password_refused`. For the last three,
   * `reason` is a sentence that you can show to the user.
   * @throws TypeError if `findUser` is set, because the users are then in your application's own table.
   * @example
   * const { id } = await auth.users.create({ username: "alice", password: "correct horse battery staple" });
   */
  create(user: NewUserInput, options?: ClientOptions): Promise<User>;
  /** Returns the user with this id, or `null` if there is no such user. */
  find(userId: string): Promise<User | null>;
  /** Returns the user with this name, or `null` if there is no such user. */
  findByName(username: string): Promise<User | null>;
  /**
   * Returns users in the order of their creation. One call returns at most 1,000.
   *
   * @throws TypeError if `limit` is not a positive whole number.
   * @example
   * const first = await auth.users.list({ limit: 100 });
   * const second = await auth.users.list({ limit: 100, after: first.at(-1)?.id });
   */
  list(options?: UserListOptions): Promise<readonly User[]>;
  /**
   * Changes a user's name, email address or staff flag. The user's sessions continue.
   *
   * @throws AuthError `user_not_found`, `username_taken`, `username_invalid` or `email_invalid`. For the last two, `reason`
   * is a sentence that you can show to the user.
   * @throws TypeError if `findUser` is set.
   * @example
   * await auth.users.update(userId, { email: "alice@example.com" });
   */
  update(userId: string, changes: UserUpdate, options?: ClientOptions): Promise<User>;
  /**
   * Deactivates a user and revokes all of the user's sessions.
   *
   * @throws AuthError `user_not_found` if there is no user with this id.
   * @example
   * await auth.users.disable(userId, { client: { actor: "support/bob" } });
   */
  disable(userId: string, options?: RevocationRequest): Promise<RevokedAndConfirmed>;
  /**
   * Activates a user again. Revoked sessions stay revoked.
   *
   * @throws AuthError `user_not_found` if there is no user with this id.
   */
  enable(userId: string, options?: ClientOptions): Promise<void>;
  /**
   * Sets a user's password and revokes all of the user's sessions.
   *
   * @throws AuthError `user_not_found`, or `password_refused`, whose `reason` is a sentence that you can show to the user.
   * @throws TypeError if `findUser` is set.
   */
  setPassword(userId: string, password: string, options?: RevocationRequest): Promise<RevokedAndConfirmed>;
  /**
   * Deletes a user and revokes all of the user's sessions.
   *
   * @throws AuthError `user_not_found` if there is no user with this id.
   */
  delete(userId: string, options?: RevocationRequest): Promise<RevokedAndConfirmed>;
}

/** The methods of `auth.throttle`: they clear the counts of failed logins. */
export interface AuthThrottle {
  /**
   * Clears the counts of a user's failed logins, which unlocks the account.
   *
   * @returns how many counts were cleared.
   * @throws AuthError `user_not_found` if there is no user with this id.
   */
  clearUser(userId: string, options?: ClientOptions): Promise<number>;
  /**
   * Clears the counts of failed logins from an IP address, on all accounts. For an IPv6 address, clears those of its /64
   * network.
   *
   * @returns how many counts were cleared.
   * @throws TypeError if `ip` is not an IP address.
   */
  clearAddress(ip: string, options?: ClientOptions): Promise<number>;
}

/** The methods of `auth.audit`: they read the audit log, and erase what it says about deleted users. */
export interface AuthAudit {
  /**
   * Returns entries of the audit log, oldest first. Without `after`, returns the newest entries that match. With `after`,
   * returns the matching entries that were committed after that cursor.
   *
   * @throws TypeError if `limit` is not a positive whole number.
   * @example
   * let { cursor } = await auth.audit.list({ limit: 1 });
   * const { entries } = await auth.audit.list({ after: cursor, type: "login_failed" });
   */
  list(options?: AuditListOptions): Promise<AuditList>;
  /**
   * Erases what tokenpair still stores about the devices of a deleted user: IP addresses, user agents and notes in the
   * audit log, and IP addresses, user agents and labels of revoked sessions. Entries keep their type, time and user id.
   * What an actor did keeps the actor, with the actor's IP address and user agent. The erasure is recorded in the audit
   * log.
   *
   * @returns how many audit entries and sessions were changed.
   * @throws TypeError if the user exists. Call `auth.users.delete` before.
   * @example
   * await auth.users.delete(userId);
   * await auth.audit.erase(userId, { client: { actor: "support/bob" } });
   */
  erase(userId: string, options?: ClientOptions): Promise<ErasedUser>;
}
