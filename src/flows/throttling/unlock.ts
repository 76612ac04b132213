import { parseAddress, unixPeer } from "../../core/addresses.ts";
import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { ClearedCounts } from "../../core/store/throttle.ts";
import { toUsernameKey } from "../../core/username.ts";
import { toAccountKey, toAddressKey } from "../../crypto/throttle-keys.ts";
import { type CommitDeps, commit } from "../commit.ts";
import type { Deps } from "../deps.ts";
import type { UserChangeOptions } from "../users/user-changes.ts";

/** The dependencies of unlocking: fewer than `Deps`, so that a CLI without a signing key can provide them. */
export type UnlockDeps = Pick<Deps, "store"> &
  CommitDeps & { readonly settings: Pick<Settings, "usernameCaseSensitive"> };

/**
 * Clears the counts of a user's failed logins, from all addresses and devices.
 *
 * @returns how many counts were cleared.
 * @throws AuthError `user_not_found`, or `unavailable` if the application's `findUser` fails.
 */
export async function unlockUser(
  deps: Deps,
  userId: string,
  { client = {}, guard }: UserChangeOptions = {},
): Promise<number> {
  const found = await deps.users.find(userId);
  if (found === null) throw new AuthError("user_not_found", "no such user");
  const key = deps.users.isOwn ? toKeyOfUser(userId) : toKeyOfName(deps, found.user.username);
  return clear(deps, { userId, client }, { key, guard });
}

/**
 * Clears the counts of failed logins of a user in tokenpair's own table.
 *
 * @returns how many counts were cleared.
 */
export function unlockOwnUser(deps: UnlockDeps, userId: string, client: ClientInfo): Promise<number> {
  return clear(deps, { userId, client }, { key: toKeyOfUser(userId) });
}

/**
 * Clears the counts of failed logins of a name that is not in tokenpair's own table.
 *
 * @returns how many counts were cleared.
 */
export function unlockName(deps: UnlockDeps, username: string, client: ClientInfo): Promise<number> {
  return clear(deps, { client }, { key: toKeyOfName(deps, username) });
}

/** Returns the key under which the failed logins of a user in tokenpair's own table are counted. */
export function toKeyOfUser(userId: string): string {
  return toAccountKey({ userId, usernameKey: "" });
}

/** Returns the key under which the failed logins of a name that is not in tokenpair's own table are counted. */
export function toKeyOfName({ settings }: Pick<UnlockDeps, "settings">, username: string): string {
  return toAccountKey({ userId: null, usernameKey: toUsernameKey(username, settings.usernameCaseSensitive) });
}

/**
 * Clears the counts of failed logins from an address, on all accounts. For an IPv6 address, clears those of its /64
 * network.
 *
 * @returns how many counts were cleared.
 * @throws TypeError if `ip` is neither an IP address nor "unix", which is used for unix sockets.
 */
export async function unlockAddress(
  deps: UnlockDeps,
  ip: string,
  { client = {}, guard }: UserChangeOptions = {},
): Promise<number> {
  if (ip !== unixPeer && parseAddress(ip) === null) {
    throw new TypeError('ip must be an IP address, such as 192.0.2.7 or 2001:db8::1, or "unix"');
  }
  return clear(deps, { ip, client }, { key: toAddressKey(ip), guard });
}

async function clear(
  deps: UnlockDeps,
  subject: { readonly userId?: string; readonly ip?: string; readonly client: ClientInfo },
  { key, guard }: Pick<UserChangeOptions, "guard"> & { readonly key: string },
): Promise<number> {
  const { counts } = await commit(
    deps,
    ({ time }: ClearedCounts) => [{ type: "unlocked", time, ...subject }],
    (audit) => deps.store.throttle.clear(key, audit, guard),
  );
  return counts;
}
