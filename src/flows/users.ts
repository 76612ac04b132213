import { AuthError } from "../core/errors.ts";
import type { RequestOrigin, UserChange } from "../core/events.ts";
import type { Settings } from "../core/settings.ts";
import type { Ended } from "../core/store.ts";
import type { User } from "../core/user.ts";
import { toUsernameKey } from "../core/username.ts";
import { type Announcer, announce, type Ending, toEndedEvents } from "./announce.ts";
import type { Deps } from "./deps.ts";
import { requireGoodPassword } from "./password-policy.ts";
import { normalizePassword } from "./password-text.ts";

export interface NewUserInput {
  readonly username: string;
  /** Without one, no password logs this user in. */
  readonly password?: string;
  readonly email?: string;
  readonly isStaff?: boolean;
}

/** What the user flows need: less than `Deps`, so that a command line without a signing key can run them. */
export type UserDeps = Pick<Deps, "store" | "passwords"> &
  Announcer & { readonly settings: Pick<Settings, "usernameCaseSensitive" | "minPasswordLength"> };

const maxUsernameLength = 150;

/** What is wrong with a username, or `null`. */
export function findUsernameFault(username: string): string | null {
  const trimmed = username.trim();
  if (trimmed === "") return "A username may not be blank.";
  if (trimmed.length > maxUsernameLength) return `A username has at most ${maxUsernameLength} characters.`;
  return /[\p{Cc}\p{Surrogate}]/u.test(trimmed) ? "A username has no control characters." : null;
}

/**
 * Creates a user of tokenpair's own table; `null` where the name is taken.
 *
 * @throws TypeError on an impossible username; AuthError `password_refused`, with a sentence for the password's owner.
 */
export async function createUser(
  deps: UserDeps,
  { username, password, email, isStaff = false }: NewUserInput,
  origin: RequestOrigin = {},
): Promise<User | null> {
  const fault = findUsernameFault(username);
  if (fault !== null) throw new TypeError(fault);
  if (password !== undefined) await requireGoodPassword(deps.settings, password, username);
  const created = await deps.store.users.create({
    username: username.trim(),
    usernameKey: toUsernameKey(username, deps.settings.usernameCaseSensitive),
    email: email ?? null,
    isStaff,
    passwordHash: password === undefined ? null : await deps.passwords.hash(normalizePassword(password)),
  });
  if (created.outcome === "name_taken") return null;
  const { user } = created;
  deps.emit({ type: "user_changed", time: user.createdAt, userId: user.id, change: "created", origin });
  return user;
}

/** The user of that name, or `null`. */
export async function findUserByName(deps: UserDeps, username: string): Promise<User | null> {
  const row = await deps.store.users.findByKey(toUsernameKey(username, deps.settings.usernameCaseSensitive));
  if (row === null) return null;
  const { passwordHash: _, ...user } = row;
  return user;
}

/** Deactivates a user; sessions and access tokens end at once. @throws AuthError `user_not_found`. */
export async function disableUser(deps: UserDeps, userId: string, origin: RequestOrigin = {}): Promise<Ended> {
  const change = { userId, change: "disabled", reason: "user_disabled", origin } as const;
  return announceChange(deps, await deps.store.users.disable(userId), change);
}

/** Lets a user log in again; what had ended stays ended. @throws AuthError `user_not_found`. */
export async function enableUser(deps: UserDeps, userId: string, origin: RequestOrigin = {}): Promise<void> {
  const time = await deps.store.users.enable(userId);
  if (time === null) throw notFound();
  deps.emit({ type: "user_changed", time, userId, change: "enabled", origin });
}

/**
 * Sets a password; sessions and access tokens end at once.
 *
 * @throws AuthError `user_not_found`; `password_refused`, with a sentence for the password's owner.
 */
export async function setPassword(
  deps: UserDeps,
  userId: string,
  password: string,
  origin: RequestOrigin = {},
): Promise<Ended> {
  const user = await deps.store.users.findById(userId);
  if (user === null) throw notFound();
  await requireGoodPassword(deps.settings, password, user.username);
  const change = { userId, change: "password_changed", reason: "password_changed", origin } as const;
  const passwordHash = await deps.passwords.hash(normalizePassword(password));
  return announceChange(deps, await deps.store.users.setPassword(userId, passwordHash), change);
}

/** Deletes a user; sessions and access tokens end at once. @throws AuthError `user_not_found`. */
export async function deleteUser(deps: UserDeps, userId: string, origin: RequestOrigin = {}): Promise<Ended> {
  const change = { userId, change: "deleted", reason: "user_deleted", origin } as const;
  return announceChange(deps, await deps.store.users.delete(userId), change);
}

interface EndingChange extends Ending {
  readonly userId: string;
  readonly change: UserChange;
}

function announceChange(deps: UserDeps, ended: Ended | null, { change, ...ending }: EndingChange): Ended {
  if (ended === null) throw notFound();
  const { userId, origin } = ending;
  for (const { time } of toEndedEvents(ended, ending)) {
    deps.emit({ type: "user_changed", time, userId, change, origin });
  }
  return announce(deps, ended, ending);
}

const notFound = () => new AuthError("user_not_found", "no such user");
