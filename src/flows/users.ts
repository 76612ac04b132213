import { AuthError } from "../core/errors.ts";
import type { RequestOrigin, UserChange } from "../core/events.ts";
import type { Settings } from "../core/settings.ts";
import type { Ended } from "../core/store.ts";
import type { AuthUser, User } from "../core/user.ts";
import { toUsernameKey } from "../core/username.ts";
import { type Announcer, announce, type Ending, tellEnding } from "./announce.ts";
import type { Tell } from "./auditor.ts";
import type { Deps } from "./deps.ts";
import { requireGoodPassword } from "./passwords/policy.ts";
import { normalizePassword } from "./passwords/text.ts";

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

/** As Django has it, and RFC 5321 (§4.5.3.1.3). */
export const maxEmailLength = 254;

/** What is wrong with a username, or `null`. */
export function findUsernameFault(username: string): string | null {
  const trimmed = username.trim();
  if (trimmed === "") return "A username may not be blank.";
  if (trimmed.length > maxUsernameLength) return `A username has at most ${maxUsernameLength} characters.`;
  return /[\p{Cc}\p{Surrogate}]/u.test(trimmed) ? "A username has no control characters." : null;
}

/** What is wrong with an email address, or `null`. Only a message sent there could tell more. */
export function findEmailFault(email: string): string | null {
  if (email.length > maxEmailLength) return `An email address has at most ${maxEmailLength} characters.`;
  return /^[^\s\p{Cc}\p{Surrogate}]+@[^\s\p{Cc}\p{Surrogate}@]+$/u.test(email)
    ? null
    : "An email address has an @ between two parts, and no spaces.";
}

/**
 * Creates a user of tokenpair's own table; `null` where the name is taken.
 *
 * @throws TypeError on an impossible username or email address; AuthError `password_refused`, with a sentence for the password's owner.
 */
export async function createUser(
  deps: UserDeps,
  { username, password, email, isStaff = false }: NewUserInput,
  origin: RequestOrigin = {},
): Promise<User | null> {
  const fault = findUsernameFault(username) ?? (email === undefined ? null : findEmailFault(email));
  if (fault !== null) throw new TypeError(fault);
  if (password !== undefined) await requireGoodPassword(deps.settings, password, username);
  const newUser = {
    username: username.trim(),
    usernameKey: toUsernameKey(username, deps.settings.usernameCaseSensitive),
    email: email ?? null,
    isStaff,
    passwordHash: password === undefined ? null : await deps.passwords.hash(normalizePassword(password)),
  };
  const tell: Tell<User> = ({ id: userId, createdAt: time }) => [
    { type: "user_changed", time, userId, change: "created", origin },
  ];
  const created = await deps.store.users.create(newUser, deps.audit(tell));
  if (created.outcome === "name_taken") return null;
  for (const event of tell(created.user)) deps.emit(event);
  return created.user;
}

/**
 * Makes sure that the users and passwords of tokenpair's own table are those that log in.
 *
 * @throws TypeError where the application keeps its users itself.
 */
export function requireOwnTable({ findUser }: Pick<Settings<AuthUser>, "findUser">): void {
  if (findUser === undefined) return;
  throw new TypeError("findUser: the application keeps its users itself; create them and set their passwords there");
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
  const tell = tellChange({ userId, change: "disabled", reason: "user_disabled", origin });
  return announceChange(deps, await deps.store.users.disable(userId, deps.audit(tell)), tell);
}

/** Lets a user log in again; what had ended stays ended. @throws AuthError `user_not_found`. */
export async function enableUser(deps: UserDeps, userId: string, origin: RequestOrigin = {}): Promise<void> {
  const tell: Tell<number> = (time) => [{ type: "user_changed", time, userId, change: "enabled", origin }];
  const time = await deps.store.users.enable(userId, deps.audit(tell));
  if (time === null) throw notFound();
  for (const event of tell(time)) deps.emit(event);
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
  const tell = tellChange({ userId, change: "password_changed", reason: "password_changed", origin });
  const passwordHash = await deps.passwords.hash(normalizePassword(password));
  return announceChange(deps, await deps.store.users.setPassword(userId, passwordHash, deps.audit(tell)), tell);
}

/** Deletes a user; sessions and access tokens end at once. @throws AuthError `user_not_found`. */
export async function deleteUser(deps: UserDeps, userId: string, origin: RequestOrigin = {}): Promise<Ended> {
  const tell = tellChange({ userId, change: "deleted", reason: "user_deleted", origin });
  return announceChange(deps, await deps.store.users.delete(userId, deps.audit(tell)), tell);
}

interface EndingChange extends Ending {
  readonly userId: string;
  readonly change: UserChange;
}

/** Tells of a change that ends the user's sessions. */
function tellChange({ change, ...ending }: EndingChange): Tell<Ended> {
  const { userId, origin } = ending;
  return (ended) =>
    tellEnding(ending)(ended).flatMap((event) => [
      { type: "user_changed", time: event.time, userId, change, origin },
      event,
    ]);
}

function announceChange(deps: UserDeps, ended: Ended | null, tell: Tell<Ended>): Ended {
  if (ended === null) throw notFound();
  return announce(deps, ended, tell);
}

const notFound = () => new AuthError("user_not_found", "no such user");
