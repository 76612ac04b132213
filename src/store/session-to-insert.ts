import type { RedeemedSession } from "../core/store/legacy.ts";
import type { NewSession } from "../core/store/sessions.ts";

/** A session to insert: of a login, or one for which a token of another system is redeemed. */
export type SessionToInsert = Omit<NewSession, "updateLastLogin"> &
  Partial<Pick<NewSession, "updateLastLogin">> &
  Partial<Pick<RedeemedSession, "previousHash" | "salt" | "idempotencyHash">>;

/** Why a session isn't inserted. */
export type UserRefusal = "user_gone" | "user_inactive" | "user_epoch_changed";

/**
 * Returns why a session isn't inserted: what has become of its user since the user was read.
 *
 * @param user `null` if there is none.
 * @returns `null` if the session may be inserted.
 */
export function findUserRefusal(
  user: { readonly isActive: boolean; readonly epoch: number } | null,
  { userEpoch }: Pick<NewSession, "userEpoch">,
): UserRefusal | null {
  if (user === null) return "user_gone";
  if (!user.isActive) return "user_inactive";
  return user.epoch === userEpoch ? null : "user_epoch_changed";
}
