import { AuthError } from "../core/errors.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { Store } from "../core/store/index.ts";
import type { AuthUser, User, UserWithPassword } from "../core/user.ts";
import { toUsernameKey } from "../core/username.ts";
import type { PasswordHasher } from "../crypto/passwords.ts";
import { callHook } from "./hook.ts";
import type { OutdatedHash } from "./passwords/rehash.ts";
import { verifyPassword } from "./passwords/text.ts";

/** A user with the epoch that was in force when the user was read. */
export interface FoundUser {
  readonly user: AuthUser;
  readonly epoch: number;
}

/** A user who gave the right password. */
export interface VerifiedUser extends FoundUser {
  /** What to hash again, if the stored hash should be better. */
  readonly outdatedHash?: OutdatedHash;
}

/** Who wants to log in: a username and, in tokenpair's own table, the row that has it. */
export interface LoginCandidate {
  /** As typed, without surrounding white space. */
  readonly username: string;
  /** The form in which usernames are unique. */
  readonly usernameKey: string;
  /** The id in tokenpair's own table; `null` if nobody has the name there. */
  readonly userId: string | null;
  /** Whether a user has the name. True if only the application knows. */
  readonly mayBeUser: boolean;
  /** The row of tokenpair's own table. */
  readonly row: UserWithPassword | null;
}

/** Where users come from: tokenpair's own table, or the application's. */
export interface UserSource {
  /** Finds out who wants to log in. */
  readonly identify: (username: string) => Promise<LoginCandidate>;
  /** Returns the user if the password is right, active or not. Takes the same time for an unknown name. */
  readonly verify: (candidate: LoginCandidate, password: string) => Promise<VerifiedUser | null>;
  /** Returns the user with this id, or `null`. */
  readonly find: (id: string) => Promise<FoundUser | null>;
  /** Whether users are in tokenpair's own table, so that a refresh needs no lookup. */
  readonly isOwn: boolean;
}

/**
 * Returns whether this user may have tokens: by the application's rule, or by being active.
 *
 * @throws AuthError `unavailable` if the rule throws or returns no boolean, as an async function does.
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

/** Returns the candidate for a username in tokenpair's own table, given the row that has it. */
export function toLoginCandidate(
  { usernameCaseSensitive }: Pick<Settings, "usernameCaseSensitive">,
  username: string,
  row: UserWithPassword | null,
): LoginCandidate {
  const usernameKey = toUsernameKey(username, usernameCaseSensitive);
  return { username: username.trim(), usernameKey, userId: row?.id ?? null, mayBeUser: row !== null, row };
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
      const key = toUsernameKey(username, settings.usernameCaseSensitive);
      return toLoginCandidate(settings, username, await store.users.findByKey(key));
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

function toFoundUser({ passwordHash: _, ...user }: User & { passwordHash: string | null }): FoundUser {
  return { user, epoch: user.epoch };
}

/**
 * Creates the source for users of the application's table. The store holds only their epochs.
 *
 * `verify` reads the epoch between the application's two answers. A user who is deactivated there and then has the epoch
 * raised here is therefore either found inactive or has the session refused.
 *
 * @throws AuthError `unavailable` if one of the application's functions fails.
 */
export function createApplicationUsers(
  store: Pick<Store, "users">,
  { verifyCredentials, findUser, usernameCaseSensitive }: ApplicationUserSettings,
): UserSource {
  const find = async (id: string): Promise<FoundUser | null> => {
    const { epoch } = await store.users.ensure(id);
    // Untyped code returns undefined for nobody, as Map.get and find do.
    const user = (await callHook("findUser", () => findUser(id))) ?? null;
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
      const verified = await callHook(
        "verifyCredentials",
        async () => (await verifyCredentials?.(username, password)) ?? null,
      );
      return verified === null ? null : find(verified.id);
    },
  });
}

/** The settings of an application with a user table of its own. */
export interface ApplicationUserSettings
  extends Pick<Settings<AuthUser>, "verifyCredentials" | "usernameCaseSensitive"> {
  readonly findUser: (id: string) => Promise<AuthUser | null>;
}

/** Returns the user with this id, from wherever users are kept; `null` if there is none. */
export async function findCurrentUser(
  { users }: { readonly users: UserSource },
  userId: string,
): Promise<AuthUser | null> {
  return (await users.find(userId))?.user ?? null;
}
