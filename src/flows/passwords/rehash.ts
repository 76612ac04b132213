import type { RequestOrigin } from "../../core/events.ts";
import type { Tell } from "../auditor.ts";
import type { Deps } from "../deps.ts";
import { normalizePassword } from "./text.ts";

/** A stored hash that should be replaced, and the password that it was made from. */
export interface OutdatedHash {
  readonly encoded: string;
  readonly password: string;
}

/**
 * After a login that went well, puts a hash of today's making in the place of an outdated one. Gives way to logins: where
 * no hash could begin at once, the next login does it. Never rejects, since the login was right either way.
 */
export async function rehashPassword(
  deps: Pick<Deps, "passwords" | "store" | "emit" | "audit" | "clock">,
  userId: string,
  { encoded, password }: OutdatedHash,
  origin: RequestOrigin,
): Promise<void> {
  try {
    const hash = await deps.passwords.hashIfFree(normalizePassword(password));
    if (hash === null) return;
    const tell: Tell<number> = (time) => [{ type: "user_changed", time, userId, change: "password_rehashed", origin }];
    const hashes = { from: encoded, to: hash };
    const time = await deps.store.users.replacePasswordHash(userId, hashes, deps.audit(tell));
    for (const event of time === null ? [] : tell(time)) deps.emit(event);
  } catch (error) {
    const reason = error instanceof Error ? error.name : typeof error;
    deps.emit({ type: "rehash_failed", time: deps.clock.now(), userId, reason, origin });
  }
}
