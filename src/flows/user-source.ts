import { AuthError } from "../core/errors.ts";
import type { Settings } from "../core/settings.ts";
import type { Store } from "../core/store.ts";
import type { AuthUser, User } from "../core/user.ts";
import { toUsernameKey } from "../core/username.ts";
import type { PasswordHasher } from "../crypto/passwords.ts";
import { ask } from "./hooks.ts";
import type { OutdatedHash } from "./passwords/rehash.ts";
import { verifyPassword } from "./passwords/text.ts";

/** A user with the epoch that was in force when the user was looked up. */
export interface FoundUser {
  readonly user: AuthUser;
  readonly epoch: number;
}

/** A user who gave the right password. */
export interface VerifiedUser extends FoundUser {
  /** What to hash anew, where the stored hash should be a better one. */
  readonly outdatedHash?: OutdatedHash;
}

/** Where users come from: tokenpair's own table, or the application's. */
export interface UserSource {
  /** The user whose credentials these are, active or not; takes the same time for an unknown name. */
  readonly verify: (username: string, password: string) => Promise<VerifiedUser | null>;
  readonly find: (id: string) => Promise<FoundUser | null>;
  /** Whether the store's own row already says all there is to know, so that a refresh needs no look-up. */
  readonly isOwn: boolean;
}

/**
 * Whether this user may have tokens: the application's rule, or being active.
 *
 * @throws AuthError `unavailable` where the rule fails or answers neither true nor false, as an async function does.
 */
export function mayHaveTokens(
  { userAuthenticationRule: rule }: Pick<Settings<AuthUser>, "userAuthenticationRule">,
  user: AuthUser,
): boolean {
  const allowed = rule === undefined ? user.isActive : applyRule(rule, user);
  if (typeof allowed === "boolean") return allowed;
  const culprit = rule === undefined ? "user.isActive" : "userAuthenticationRule";
  throw new AuthError("unavailable", `${culprit} is neither true nor false`, {
    cause: new TypeError(`${culprit} must be true or false; it is ${typeof allowed}`),
  });
}

function applyRule(rule: (user: AuthUser) => unknown, user: AuthUser): unknown {
  try {
    return rule(user);
  } catch (cause) {
    throw new AuthError("unavailable", "userAuthenticationRule failed", { cause });
  }
}

/** Users of tokenpair's own table. */
export function createOwnUsers(
  store: Store,
  passwords: PasswordHasher,
  settings: Pick<Settings, "usernameCaseSensitive">,
): UserSource {
  return Object.freeze({
    isOwn: true,
    verify: async (username: string, password: string) => {
      // Before anything is looked up, so that refusing costs next to nothing.
      passwords.requireRoom();
      const row = await store.users.findByKey(toUsernameKey(username, settings.usernameCaseSensitive));
      const match = await verifyPassword(passwords, row?.passwordHash ?? null, password);
      if (row === null || row.passwordHash === null || match === null) return null;
      const outdatedHash = { encoded: row.passwordHash, password: match.password };
      return { ...toFoundUser(row), ...(match.isOutdated ? { outdatedHash } : {}) };
    },
    find: async (id: string) => {
      const row = await store.users.findById(id);
      return row === null ? null : toFoundUser(row);
    },
  });
}

function toFoundUser({ passwordHash: _, ...user }: User & { passwordHash: string | null }): FoundUser {
  return { user, epoch: user.epoch };
}

/**
 * Users of the application's table; the store keeps only their epochs.
 *
 * `verify` reads the epoch between the application's two answers: a user who is deactivated there, and then here by
 * raising the epoch, either shows as inactive or has the session refused.
 *
 * @throws AuthError `unavailable` where one of the application's functions fails.
 */
export function createApplicationUsers(
  store: Store,
  verifyCredentials: ((username: string, password: string) => Promise<AuthUser | null>) | undefined,
  findUser: (id: string) => Promise<AuthUser | null>,
): UserSource {
  const find = async (id: string): Promise<FoundUser | null> => {
    const { epoch } = await store.users.ensure(id);
    // Untyped code answers undefined for nobody, as Map.get and find do.
    const user = (await ask("findUser", () => findUser(id))) ?? null;
    return user === null ? null : { user, epoch };
  };
  return Object.freeze({
    isOwn: false,
    find,
    verify: async (username: string, password: string) => {
      const verified = await ask(
        "verifyCredentials",
        async () => (await verifyCredentials?.(username, password)) ?? null,
      );
      return verified === null ? null : find(verified.id);
    },
  });
}
