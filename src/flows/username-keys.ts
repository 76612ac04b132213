import type { Settings } from "../core/settings/settings.ts";
import type { Store } from "../core/store/index.ts";
import type { User, UserWithPassword } from "../core/user.ts";
import { toFormerUsernameKey, toUsernameKey } from "../core/username.ts";

/** What looking a name up needs. */
export interface NameDeps {
  readonly store: Pick<Store, "users">;
  readonly settings: Pick<Settings, "usernameCaseSensitive">;
}

/**
 * Returns the user with this name, or `null`. A user whose key is from tokenpair 0.1 is found by that key first: after an
 * upgrade, everyone logs in with the name that worked before.
 */
export async function findByName({ store, settings }: NameDeps, username: string): Promise<UserWithPassword | null> {
  const { usernameCaseSensitive: caseSensitive } = settings;
  const key = toUsernameKey(username, caseSensitive);
  const former = toFormerUsernameKey(username, caseSensitive);
  const found = former === key ? null : await store.users.findByKey(former);
  return found ?? store.users.findByKey(key);
}

/** Returns the key under which a name is stored: today's or, if a user has it already, that of tokenpair 0.1. */
export async function toStoredKey({ store, settings }: NameDeps, username: string): Promise<string> {
  const { usernameCaseSensitive: caseSensitive } = settings;
  const key = toUsernameKey(username, caseSensitive);
  const former = toFormerUsernameKey(username, caseSensitive);
  if (former === key) return key;
  return (await store.users.findByKey(former)) === null ? key : former;
}

/** What became of the usernames whose keys were from tokenpair 0.1. */
export interface UpdatedKeys {
  /** How many users got a key of today. */
  readonly replaced: number;
  /** The users who keep the key of 0.1, because their names differ only in case from another user's. */
  readonly collisions: readonly Collision[];
}

/** Two users whose names differ only in case. Both keep working. */
export interface Collision {
  readonly user: User;
  readonly other: User;
}

const pageSize = 1_000;

/**
 * Gives users whose username keys are from tokenpair 0.1 the keys of today. Reads every user. Can be run at any time and again,
 * and leaves a user alone whose new key is another's. Does nothing if usernames are case-sensitive.
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
