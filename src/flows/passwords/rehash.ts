import type { ClientInfo } from "../../core/client-info.ts";
import type { ChangedUser } from "../../core/store/users.ts";
import { type CommitDeps, commit } from "../commit.ts";
import type { Deps } from "../deps.ts";
import type { VerifiedUser } from "../users/user-source.ts";
import { normalizePassword } from "./text.ts";

/**
 * Replaces the hash of a user who has just logged in, if it is outdated. If the queue for hashes is busy, it leaves the hash to a later login,
 * because logins have priority. Never rejects, because the login has already succeeded. Emits `rehash_failed` instead.
 *
 * While simplejwt's refresh tokens are accepted, Django's hashes stay: a token's mark is a hash of the imported one, so a login on one
 * device would make the tokens of the user's other devices invalid.
 */
export async function rehashPassword(
  deps: Pick<Deps, "passwords" | "store" | "clock" | "legacyTokens"> & CommitDeps,
  { user: { id: userId }, outdatedHash }: Pick<VerifiedUser, "user" | "outdatedHash">,
  client: ClientInfo,
): Promise<void> {
  if (outdatedHash === undefined) return;
  const { encoded, password } = outdatedHash;
  if (isOfDjango(encoded) && acceptsLegacyTokens(deps)) return;
  try {
    const hash = await deps.passwords.hashIfFree(normalizePassword(password));
    if (hash === null) return;
    await commit(
      deps,
      ({ now: time }: ChangedUser) => [{ type: "user_changed", time, userId, change: "password_rehashed", client }],
      (audit) => deps.store.users.replacePasswordHash(userId, { from: encoded, to: hash }, audit),
    );
  } catch (error) {
    const reason = error instanceof Error ? error.name : typeof error;
    deps.emit({ type: "rehash_failed", time: deps.clock.now(), userId, reason, client });
  }
}

/** Returns whether a hash is in one of Django's formats. Those of tokenpair begin with `$`. */
const isOfDjango = (encoded: string) => !encoded.startsWith("$");

/** Returns whether simplejwt's refresh tokens are still accepted. */
const acceptsLegacyTokens = ({ legacyTokens, clock }: Pick<Deps, "legacyTokens" | "clock">) =>
  legacyTokens !== null && clock.now() < legacyTokens.until;
