import type { AuthUser } from "../../core/user.ts";
import type { Deps } from "../deps.ts";
import type { ClaimedAccount } from "../users/user-source.ts";
import { type AttemptSource, acceptAttempt, admitAttempt, rejectAttempt, undoAttempt } from "./login-throttle.ts";

/** An attempt to prove a password or a second factor, which counts as a login of the account. */
export interface CountedAttempt<T> extends AttemptSource {
  /** Returns what the proof shows, or `null` if it is wrong. */
  readonly verify: () => Promise<T | null>;
}

/**
 * Verifies a proof as one counted attempt: a wrong one counts as a failed login of the account, a right one clears the failures,
 * and one that can't be verified isn't counted.
 *
 * @returns what `verify` returned.
 * @throws AuthError `throttled`, with `retryAfter`; what `verify` throws.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function countAttempt<T extends { readonly user: AuthUser }>(
  deps: Deps,
  account: ClaimedAccount,
  { verify, ...source }: CountedAttempt<T>,
): Promise<T | null> {
  const attempt = await admitAttempt(deps, account, source);
  const verified = await verify().catch(async (error: unknown) => {
    await undoAttempt(deps, attempt);
    throw error;
  });
  if (verified === null) await rejectAttempt(deps, attempt);
  else await acceptAttempt(deps, attempt, verified.user);
  return verified;
}
