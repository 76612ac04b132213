import { AuthError } from "../../core/errors.ts";
import { toShown } from "../../core/settings/faults.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { Store } from "../../core/store/index.ts";
import type { AuthUser, UserWithPassword } from "../../core/user.ts";
import { toUserId } from "../../core/user-id.ts";
import { toUsernameKey } from "../../core/username.ts";
import type { PasswordHasher } from "../../crypto/passwords.ts";
import { callHook } from "../hook.ts";
import { type OutdatedHash, verifyPassword } from "../passwords/text.ts";
import { findByName } from "./username-keys.ts";

/** A user, as found by one read. */
export interface FoundUser {
  readonly user: AuthUser;
  /** The user's epoch at the time of the read. A session is created only if the user still has this epoch. */
  readonly epoch: number;
}

/** A user who gave the correct password. */
export interface VerifiedUser extends FoundUser {
  /** The hash to replace. Missing if the stored hash is as good as a new one. */
  readonly outdatedHash?: OutdatedHash;
}

/** The account that a login attempt names. Failed logins are counted for this account. */
export interface ClaimedAccount {
  /** The name as typed, without surrounding white space. */
  readonly username: string;
  /** The form in which usernames are unique. */
  readonly usernameKey: string;
  /** The user's id in tokenpair's own table, or `null` if no user there has this name. */
  readonly userId: string | null;
  /** Whether a user may have this name. Always true if only the application knows. */
  readonly mayBeUser: boolean;
}

/** An account, with the data that is needed to verify a password. */
export interface LoginCandidate extends ClaimedAccount {
  /** The user's row in tokenpair's own table, or `null` if no user there has this name. */
  readonly row: UserWithPassword | null;
}

/** The source of users: tokenpair's own table, or the application's. */
export interface UserSource {
  /**
   * Finds the account with this name. A candidate is returned even if no user has the name.
   *
   * @throws AuthError `unavailable` if too many passwords are waiting to be hashed. This is checked before any look-up.
   */
  readonly identify: (username: string) => Promise<LoginCandidate>;
  /**
   * Returns the user if the password is correct, even if the user isn't active. Otherwise returns `null`. Takes the same
   * time for an unknown name.
   */
  readonly verify: (candidate: LoginCandidate, password: string) => Promise<VerifiedUser | null>;
  /** Returns the user with this id, or `null` if there is no such user. */
  readonly find: (id: string) => Promise<FoundUser | null>;
  /** Whether the users are in tokenpair's own table. If so, a refresh needs no look-up. */
  readonly isOwn: boolean;
}

/**
 * Returns whether this user may have tokens. This is the result of `userAuthenticationRule` or, if that is not set, whether
 * the user is active.
 *
 * @throws AuthError `unavailable` if the rule throws or doesn't return a boolean, for example because it is async.
 */
export function mayHaveTokens(
  { userAuthenticationRule: rule }: Pick<Settings<AuthUser>, "userAuthenticationRule">,
  user: AuthUser,
): boolean {
  const allowed = rule === undefined ? user.isActive : applyRule(rule, user);
  if (typeof allowed === "boolean") return allowed;
  const culprit = rule === undefined ? "user.isActive" : "userAuthenticationRule";
  throw new AuthError("unavailable", `${culprit} is neither true nor false`, {
    cause: new TypeError(`${culprit} must be true or false, got ${typeof allowed}`),
  });
}

function applyRule(rule: (user: AuthUser) => unknown, user: AuthUser): unknown {
  try {
    return rule(user);
  } catch (cause) {
    throw new AuthError("unavailable", "userAuthenticationRule failed", { cause });
  }
}

/** Creates the source for users of tokenpair's own table. */
export function createOwnUsers(
  store: Pick<Store, "users">,
  passwords: PasswordHasher,
  settings: Pick<Settings, "usernameCaseSensitive">,
): UserSource {
  return Object.freeze<UserSource>({
    isOwn: true,
    identify: async (username) => {
      passwords.requireRoom();
      const usernameKey = toUsernameKey(username, settings.usernameCaseSensitive);
      const row = await findByName({ store, settings }, username);
      return { username: username.trim(), usernameKey, userId: row?.id ?? null, mayBeUser: row !== null, row };
    },
    verify: async ({ row }, password) => {
      const match = await verifyPassword(passwords, row?.passwordHash ?? null, password);
      if (row === null || row.passwordHash === null || match === null) return null;
      const outdatedHash = { encoded: row.passwordHash, password: match.password };
      return { ...toFoundUser(row), ...(match.isOutdated ? { outdatedHash } : {}) };
    },
    find: async (id) => {
      const row = await store.users.findById(id);
      return row === null ? null : toFoundUser(row);
    },
  });
}

function toFoundUser({ passwordHash: _, ...user }: UserWithPassword): FoundUser {
  return { user, epoch: user.epoch };
}

/**
 * Creates the source for users of the application's own table. The store contains only their epochs. The methods throw an
 * AuthError `unavailable` if one of the application's functions fails or returns something other than a user.
 *
 * `find`, and therefore `verify`, reads the epoch before it calls `findUser`. Suppose that the application deactivates a
 * user and then revokes the sessions. A login at the same time either finds that the user is inactive, or is refused
 * because the epoch was raised.
 */
export function createApplicationUsers(
  store: Pick<Store, "users">,
  { verifyCredentials, findUser, usernameCaseSensitive }: ApplicationUserSettings,
): UserSource {
  const find = async (id: string): Promise<FoundUser | null> => {
    const { epoch } = await store.users.ensure(id);
    const user = await findApplicationUser({ findUser }, id);
    return user === null ? null : { user, epoch };
  };
  return Object.freeze<UserSource>({
    isOwn: false,
    find,
    identify: async (username) => ({
      username: username.trim(),
      usernameKey: toUsernameKey(username, usernameCaseSensitive),
      userId: null,
      mayBeUser: true,
      row: null,
    }),
    verify: async ({ username }, password) => {
      const verified = await callHook("verifyCredentials", async () =>
        toAnswer(await verifyCredentials?.(username, password), "verifyCredentials"),
      );
      return verified === null ? null : find(verified.id);
    },
  });
}

/**
 * Returns a user of the application's own table, or `null` if there is no such user. Doesn't use the store.
 *
 * @throws AuthError `unavailable` if the application's `findUser` fails.
 */
export function findApplicationUser(
  { findUser }: Pick<ApplicationUserSettings, "findUser">,
  userId: string,
): Promise<AuthUser | null> {
  return callHook("findUser", async () => toUserWithId(toAnswer(await findUser(userId), "findUser"), userId));
}

/**
 * Returns the user that one of the application's functions returned, with the id as a string. Returns `null` for `null` and
 * `undefined`.
 *
 * @throws TypeError if the value is not a user, because a session must have an owner.
 */
function toAnswer(answer: unknown, hook: string): AuthUser | null {
  if (answer === null || answer === undefined) return null;
  if (typeof answer !== "object") throw new TypeError(`${hook} must return a user or null, got ${toShown(answer)}`);
  const user = answer as AuthUser;
  const id = toUserId(user.id, hook);
  if (typeof user.username !== "string" || user.username.trim() === "") {
    throw new TypeError(
      `${hook}: username must be a string that is not blank, got ${toShown(user.username)}. ` +
        "Return what the user logs in with, such as the email address.",
    );
  }
  return user.id === id ? user : withId(user, id);
}

/** Copies a user with its prototype, because the application may have returned an instance of a class. */
function withId(user: AuthUser, id: string): AuthUser {
  const members = Object.getOwnPropertyDescriptors(user);
  return Object.create(Object.getPrototypeOf(user), { ...members, id: { value: id, enumerable: true } });
}

/**
 * Returns the user that `findUser` returned.
 *
 * @throws TypeError if it isn't the user with this id.
 */
function toUserWithId(user: AuthUser | null, id: string): AuthUser | null {
  if (user === null || user.id === id) return user;
  // SQLite made "42.0" of the number 42 in tokenpair 0.1. No user has that id, so such a session must end.
  if (id === `${user.id}.0`) return null;
  throw new TypeError(`findUser: asked for the user with the id ${toShown(id)}, got the one with ${toShown(user.id)}`);
}

/** The settings of an application with its own user table. */
export interface ApplicationUserSettings
  extends Pick<Settings<AuthUser>, "verifyCredentials" | "usernameCaseSensitive"> {
  /** Returns the application's user with this id, or `null` if there is no such user. */
  readonly findUser: NonNullable<Settings<AuthUser>["findUser"]>;
}

/**
 * Returns the user with this id from tokenpair's own table or from the application's. Returns `null` if there is no such
 * user.
 *
 * @throws AuthError `unavailable` if the application's `findUser` fails.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function findCurrentUser(
  { users }: { readonly users: UserSource },
  userId: string,
): Promise<AuthUser | null> {
  return (await users.find(userId))?.user ?? null;
}
