import type { Settings } from "../../core/settings/settings.ts";
import type { Store } from "../../core/store/index.ts";
import type { User, UserWithPassword } from "../../core/user.ts";
import { toFormerUsernameKey, toUsernameKey } from "../../core/username.ts";

/** The dependencies of looking up a name. */
export interface NameDeps {
  readonly store: Pick<Store, "users">;
  readonly settings: Pick<Settings, "usernameCaseSensitive">;
}

/**
 * Returns the user with this name, or `null` if there is no such user. First looks for the key of version 0.1, so that
 * after an upgrade everyone can log in with the same name as before.
 */
export async function findByName({ store, settings }: NameDeps, username: string): Promise<UserWithPassword | null> {
  const { usernameCaseSensitive: caseSensitive } = settings;
  const key = toUsernameKey(username, caseSensitive);
  const former = toFormerUsernameKey(username, caseSensitive);
  const found = former === key ? null : await store.users.findByKey(former);
  return found ?? store.users.findByKey(key);
}

/**
 * Returns the key under which a name is stored. It is the key of version 0.1 if a user already has that key, otherwise the
 * current key.
 */
export async function toStoredKey({ store, settings }: NameDeps, username: string): Promise<string> {
  const { usernameCaseSensitive: caseSensitive } = settings;
  const key = toUsernameKey(username, caseSensitive);
  const former = toFormerUsernameKey(username, caseSensitive);
  if (former === key) return key;
  return (await store.users.findByKey(former)) === null ? key : former;
}

/** The result of updating username keys from version 0.1. */
export interface UpdatedKeys {
  /** The number of users who got the current form of their key. */
  readonly replaced: number;
  /** The users who keep their key from version 0.1, because another user's name differs from theirs only in case. */
  readonly collisions: readonly Collision[];
}

/** Two users whose names differ only in case. Both names continue to work. */
export interface Collision {
  readonly user: User;
  readonly other: User;
}

const pageSize = 1_000;

/**
 * Replaces username keys from version 0.1 with their current form. Reads every user, and can be run any number of times.
 * Skips a user if another user already has the new key. Does nothing if usernames are case-sensitive.
 */
export async function updateUsernameKeys({ store, settings }: NameDeps): Promise<UpdatedKeys> {
  if (settings.usernameCaseSensitive) return { replaced: 0, collisions: [] };
  let replaced = 0;
  const collisions: Collision[] = [];
  for (let after: string | undefined, isLast = false; !isLast; ) {
    const page = await store.users.list({ limit: pageSize, ...(after === undefined ? {} : { after }) });
    for (const user of page) {
      const [from, to] = [toFormerUsernameKey(user.username, false), toUsernameKey(user.username, false)];
      if (from === to) continue;
      const outcome = await store.users.replaceUsernameKey(user.id, { from, to });
      if (outcome === "replaced") replaced += 1;
      const other = outcome === "taken" ? await store.users.findByKey(to) : null;
      if (other !== null) collisions.push({ user, other });
    }
    after = page.at(-1)?.id;
    isLast = page.length < pageSize;
  }
  return { replaced, collisions };
}
