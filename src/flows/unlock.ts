import { parseAddress } from "../core/addresses.ts";
import { AuthError } from "../core/errors.ts";
import type { RequestOrigin } from "../core/events.ts";
import type { Settings } from "../core/settings.ts";
import type { Forgotten } from "../core/throttle-store.ts";
import { toUsernameKey } from "../core/username.ts";
import { toAccountKey, toAddressKey } from "../crypto/throttle-keys.ts";
import type { Tell } from "./auditor.ts";
import type { Deps } from "./deps.ts";

/** What unlocking needs: less than `Deps`, so that a command line without a signing key can run it. */
export type UnlockDeps = Pick<Deps, "store" | "emit" | "audit"> & {
  readonly settings: Pick<Settings, "usernameCaseSensitive">;
};

/**
 * Forgets the failed logins of a user, from all addresses and devices; how many counts that were.
 *
 * @throws AuthError `user_not_found`.
 */
export async function unlockUser(deps: Deps, userId: string, origin: RequestOrigin = {}): Promise<number> {
  const found = await deps.users.find(userId);
  if (found === null) throw new AuthError("user_not_found", "no such user");
  return deps.users.isOwn ? unlockOwnUser(deps, userId, origin) : unlockName(deps, found.user.username, origin);
}

/** As `unlockUser`, of a user of tokenpair's own table. */
export function unlockOwnUser(deps: UnlockDeps, userId: string, origin: RequestOrigin): Promise<number> {
  return forget(deps, toKeyOfUser(userId), { userId, origin });
}

/** As `unlockUser`, by a name of the application's own table. */
export function unlockName(deps: UnlockDeps, username: string, origin: RequestOrigin): Promise<number> {
  return forget(deps, toKeyOfName(deps, username), { origin });
}

/** The key of the account of a user of tokenpair's own table. */
export function toKeyOfUser(userId: string): string {
  return toAccountKey({ userId, usernameKey: "" });
}

/** The key of the account of a name that is none of tokenpair's own users'. */
export function toKeyOfName({ settings }: Pick<UnlockDeps, "settings">, username: string): string {
  return toAccountKey({ userId: null, usernameKey: toUsernameKey(username, settings.usernameCaseSensitive) });
}

/**
 * Forgets the failed logins from an address, over all accounts; of IPv6, from its /64. How many counts that were.
 *
 * @throws TypeError where `ip` is no IP address.
 */
export function unlockAddress(deps: UnlockDeps, ip: string, origin: RequestOrigin = {}): Promise<number> {
  if (parseAddress(ip) === null) throw new TypeError("this is no IP address");
  return forget(deps, toAddressKey(ip), { ip, origin });
}

async function forget(
  { store, emit, audit }: UnlockDeps,
  key: string,
  subject: { readonly userId?: string; readonly ip?: string; readonly origin: RequestOrigin },
): Promise<number> {
  const tell: Tell<Forgotten> = ({ time }) => [{ type: "unlocked", time, ...subject }];
  const forgotten = await store.throttle.forget(key, audit(tell));
  for (const event of tell(forgotten)) emit(event);
  return forgotten.counts;
}
