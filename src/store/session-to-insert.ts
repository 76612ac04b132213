import type { RedeemedSession } from "../core/store/legacy.ts";
import type { NewSession } from "../core/store/sessions.ts";

/** A session to insert, either for a login or for a redeemed token of another system. */
export type SessionToInsert = Omit<NewSession, "updateLastLogin"> &
  Partial<Pick<NewSession, "updateLastLogin">> &
  Partial<Pick<RedeemedSession, "previousHash" | "salt" | "idempotencyHash">>;

/** The reason why a session isn't inserted. */
export type UserRefusal = "user_gone" | "user_inactive" | "user_epoch_changed";

/**
 * Returns why a session isn't inserted: what has happened to its user since the user was read.
 *
 * @param user the user, or `null` if there is no such user.
 * @returns the reason, or `null` if the session may be inserted.
 */
export function findUserRefusal(
  user: { readonly isActive: boolean; readonly epoch: number } | null,
  { userEpoch }: Pick<NewSession, "userEpoch">,
): UserRefusal | null {
  if (user === null) return "user_gone";
  if (!user.isActive) return "user_inactive";
  return user.epoch === userEpoch ? null : "user_epoch_changed";
}
