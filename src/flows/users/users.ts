import { AuthError } from "../../core/errors.ts";
import { isRole, type Role, roles } from "../../core/role.ts";
import type { RevokeReason } from "../../core/session.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { RevokedSessions } from "../../core/store/sessions.ts";
import type { DisabledUser, EnabledUser, UpdatedUser, UserPatch } from "../../core/store/users.ts";
import type { AuthUser, User, UserWithPassword } from "../../core/user.ts";
import type { EventsOf, UserChangedEvent } from "../../events/events.ts";
import {
  type CommitDeps,
  commit,
  commitRevocation,
  type GuardedRevocation,
  type RevokedAndConfirmed,
  sessionsRevoked,
} from "../commit.ts";
import type { Deps } from "../deps.ts";
import { requireGoodPassword } from "../passwords/policy.ts";
import { normalizePassword } from "../passwords/text.ts";
import type { NewUserInput, UserChangeOptions, UserUpdate } from "./user-changes.ts";
import { findUsernameFault, requireEmail, requireUsername } from "./user-fields.ts";
import { findByName, toStoredKey } from "./username-keys.ts";

/** The dependencies of the user flows: fewer than `Deps`, so that a CLI without a signing key can provide them. */
export type UserDeps = Pick<Deps, "store" | "passwords"> &
  CommitDeps & {
    readonly settings: Pick<
      Settings<AuthUser>,
      "usernameCaseSensitive" | "minPasswordLength" | "findUser" | "confirmRevocations"
    >;
  };

/** The maximum number of users that `listUsers` returns. */
export const maxListedUsers = 1000;

/**
 * Creates a user in tokenpair's own table.
 *
 * @throws AuthError `username_invalid`, `email_invalid` or `password_refused`, whose `reason` is a sentence for the user.
 * `username_taken` if another user has the name. `unavailable` if too many passwords are waiting to be hashed.
 */
export async function createUser(
  deps: UserDeps,
  { username, password, email, role = null }: NewUserInput,
  { client = {}, guard }: UserChangeOptions = {},
): Promise<User> {
  requireUsername(username);
  if (email !== undefined) requireEmail(email);
  requireRole(role);
  if (password !== undefined) await requireGoodPassword(deps.settings, password, username);
  const newUser = {
    username: username.trim(),
    usernameKey: await toStoredKey(deps, username),
    email: email ?? null,
    role,
    passwordHash: password === undefined ? null : await deps.passwords.hash(normalizePassword(password)),
  };
  return commit(
    deps,
    ({ id: userId, createdAt: time }: User) => [{ type: "user_changed", time, userId, change: "created", client }],
    async (audit) => {
      const created = await deps.store.users.create(newUser, audit, guard);
      if (created.outcome === "name_taken") throw nameTaken();
      return created.user;
    },
  );
}

/**
 * Changes a user's name, email address or role. The user's sessions continue. Emits nothing if every value was
 * already set.
 *
 * @throws AuthError `user_not_found`, or `username_taken`. `username_invalid` or `email_invalid`, whose `reason` is a
 * sentence for the user. If it throws, the user has not changed.
 */
export async function updateUser(
  deps: UserDeps,
  userId: string,
  { username, email, role }: UserUpdate,
  { client = {}, guard }: UserChangeOptions = {},
): Promise<User> {
  if (username !== undefined) await requireNewUsername(deps, userId, username);
  if (email !== undefined && email !== null) requireEmail(email);
  if (role !== undefined) requireRole(role);
  const patch: UserPatch = {
    username: username?.trim(),
    usernameKey: username === undefined ? undefined : await toStoredKey(deps, username),
    email,
    role,
  };
  const { user } = await commit(
    deps,
    ({ outcome, now: time }: UpdatedUser) =>
      outcome === "unchanged" ? [] : [{ type: "user_changed", time, userId, change: "updated", client }],
    async (audit) => {
      const updated = requireFound(await deps.store.users.update(userId, patch, { audit, guard }));
      if (updated.outcome === "name_taken") throw nameTaken();
      return updated;
    },
  );
  return user;
}

/**
 * Checks a role that comes from code without types.
 *
 * @throws TypeError if there is no such role.
 */
function requireRole(role: Role | null): void {
  if (role === null || isRole(role)) return;
  throw new TypeError(
    `role must be ${roles.map((name) => `"${name}"`).join(", ")} or null, got ${JSON.stringify(role)}`,
  );
}

/**
 * Checks a new username, unless the user already has it: the name may be older than a rule.
 *
 * @throws AuthError `username_invalid`.
 */
async function requireNewUsername({ store }: UserDeps, userId: string, username: string): Promise<void> {
  if (findUsernameFault(username) === null) return;
  const user = await store.users.findById(userId);
  if (user?.username !== username.trim()) requireUsername(username);
}

/**
 * Checks that the users are in tokenpair's own table.
 *
 * @throws TypeError if `findUser` is set, because the users are then in the application's own table.
 */
export function requireOwnTable({ findUser }: Pick<Settings<AuthUser>, "findUser">): void {
  if (findUser === undefined) return;
  throw new TypeError(
    "findUser is set, so your application keeps the users. Create them and set their passwords there.",
  );
}

/** Returns the user with this id in tokenpair's own table, or `null` if there is no such user. */
export async function findUser(deps: Pick<UserDeps, "store">, userId: string): Promise<User | null> {
  return withoutHash(await deps.store.users.findById(userId));
}

/** Returns the user with this name in tokenpair's own table, or `null` if there is no such user. */
export async function findUserByName(
  deps: Pick<UserDeps, "store" | "settings">,
  username: string,
): Promise<User | null> {
  return withoutHash(await findByName(deps, username));
}

/**
 * Returns users of tokenpair's own table in the order of their creation.
 *
 * @param options.after the id of a user. The list begins after that user. Default: the list begins with the first user.
 * @param options.limit the maximum number of users to return. Default and maximum: 1,000.
 */
export function listUsers(
  deps: Pick<UserDeps, "store">,
  { after, limit = maxListedUsers }: { readonly after?: string | undefined; readonly limit?: number | undefined } = {},
): Promise<readonly User[]> {
  return deps.store.users.list({
    limit: Math.min(limit, maxListedUsers),
    ...(after === undefined ? {} : { after }),
  });
}

/**
 * Deactivates a user, and revokes the user's sessions and access tokens. Emits nothing if the user is already disabled. A
 * user of the application's own table can be disabled even before the first login.
 *
 * @returns the number of revoked sessions, the new entries of the revocation feed, and how they were confirmed.
 * @throws AuthError `user_not_found` if there is no user with this id.
 */
export async function disableUser(
  deps: UserDeps,
  userId: string,
  { client = {}, confirmed = deps.settings.confirmRevocations, guard }: GuardedRevocation = {},
): Promise<RevokedAndConfirmed> {
  await ensureApplicationUser(deps, userId);
  const disabled = userChangedAndRevoked({ userId, change: "disabled", reason: "user_disabled", client });
  return requireFound(
    await commitRevocation(deps, {
      isConfirmed: confirmed,
      eventsOf: (result: DisabledUser) => (result.wasDisabled === true ? [] : disabled(result)),
      write: (options) => deps.store.users.disable(userId, { ...options, guard }),
    }),
  );
}

/**
 * Activates a user. Revoked sessions stay revoked. Emits nothing if the user is already active.
 *
 * @throws AuthError `user_not_found` if there is no user with this id.
 */
export async function enableUser(
  deps: UserDeps,
  userId: string,
  { client = {}, guard }: UserChangeOptions = {},
): Promise<void> {
  await ensureApplicationUser(deps, userId);
  requireFound(
    await commit(
      deps,
      ({ now: time, wasEnabled }: EnabledUser) =>
        wasEnabled === true ? [] : [{ type: "user_changed", time, userId, change: "enabled", client }],
      (audit) => deps.store.users.enable(userId, { audit, guard }),
    ),
  );
}

/**
 * Inserts the row of a user of the application's own table, so that the following change takes effect even before the first
 * login.
 */
async function ensureApplicationUser({ settings, store }: UserDeps, userId: string): Promise<void> {
  if (settings.findUser !== undefined) await store.users.ensure(userId);
}

/**
 * Sets a user's password, and revokes the user's sessions and access tokens.
 *
 * @returns the number of revoked sessions, the new entries of the revocation feed, and how they were confirmed.
 * @throws AuthError `user_not_found`. `password_refused`, whose `reason` is a sentence for the user. `unavailable` if too
 * many passwords are waiting to be hashed.
 */
export async function setPassword(
  deps: UserDeps,
  userId: string,
  password: string,
  { client = {}, confirmed = deps.settings.confirmRevocations, guard }: GuardedRevocation = {},
): Promise<RevokedAndConfirmed> {
  const { username } = requireFound(await deps.store.users.findById(userId));
  await requireGoodPassword(deps.settings, password, username);
  const passwordHash = await deps.passwords.hash(normalizePassword(password));
  return requireFound(
    await commitRevocation(deps, {
      isConfirmed: confirmed,
      eventsOf: userChangedAndRevoked({ userId, change: "password_changed", reason: "password_changed", client }),
      write: (options) => deps.store.users.setPassword(userId, passwordHash, { ...options, guard }),
    }),
  );
}

/**
 * Deletes a user, and revokes the user's sessions and access tokens.
 *
 * @returns the number of revoked sessions, the new entries of the revocation feed, and how they were confirmed.
 * @throws AuthError `user_not_found` if there is no user with this id.
 */
export async function deleteUser(
  deps: UserDeps,
  userId: string,
  { client = {}, confirmed = deps.settings.confirmRevocations, guard }: GuardedRevocation = {},
): Promise<RevokedAndConfirmed> {
  return requireFound(
    await commitRevocation(deps, {
      isConfirmed: confirmed,
      eventsOf: userChangedAndRevoked({ userId, change: "deleted", reason: "user_deleted", client }),
      write: (options) => deps.store.users.delete(userId, { ...options, guard }),
    }),
  );
}

/** Returns the events of a change that revokes the user's sessions: first the change, then the revocation. */
export function userChangedAndRevoked({
  reason,
  ...change
}: Omit<UserChangedEvent, "type" | "time"> & { readonly reason: RevokeReason }): EventsOf<RevokedSessions> {
  const { userId, client } = change;
  const revoked = sessionsRevoked({ userId, reason, client });
  return (result) => revoked(result).flatMap((event) => [{ type: "user_changed", time: event.time, ...change }, event]);
}

function withoutHash(row: UserWithPassword | null): User | null {
  if (row === null) return null;
  const { passwordHash: _, ...user } = row;
  return user;
}

function requireFound<T>(found: T | null): T {
  if (found === null) throw notFound();
  return found;
}

const notFound = () => new AuthError("user_not_found", "no such user");
const nameTaken = () => new AuthError("username_taken", "This username is taken.");
