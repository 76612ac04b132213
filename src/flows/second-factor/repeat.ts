import type { SessionSnapshot, Verdict } from "../../core/store/sessions.ts";
import { deriveLoginSecret, hashSecret, isSameHash } from "../../crypto/secrets.ts";
import type { Deps } from "../deps.ts";
import type { LoggedIn } from "../login.ts";
import { prepareDeviceToken } from "../sessions/device.ts";
import { findSessionRefusal } from "../sessions/session-refusal.ts";
import { type PairSource, prepareTokens, type TokenLimitOptions, toReplayVerdict } from "../sessions/token-pair.ts";
import { findPublicClaims, type PublicClaimsOptions } from "../tokens/public-claims.ts";
import { mayHaveTokens } from "../users/user-source.ts";

/** How a request names its first try. */
interface RepeatOptions extends TokenLimitOptions, PublicClaimsOptions {
  readonly idempotencyKey?: string | undefined;
}

/**
 * Answers a repeated completion of a login: the client has lost the answer and sends the request again, with the same idempotency
 * key. The proof isn't looked at, because a one-time code counts once.
 *
 * @returns the same session and refresh token as the first time; `null` if the ticket wasn't used with this key, or if the session has
 * been refreshed since, which proves that the client got its answer.
 * @throws AuthError `unavailable` if the tokens can't be created.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function repeatLogin(
  deps: Deps,
  hash: Uint8Array,
  { idempotencyKey, tokenLimits, ...options }: RepeatOptions,
): Promise<LoggedIn | null> {
  if (idempotencyKey === undefined) return null;
  const found = await deps.store.tickets.find(hash);
  const sessionId = found?.ticket.sessionId ?? null;
  if (found === null || sessionId === null || found.ticket.expiresAt <= found.now) return null;
  const { userId, usernameKey } = found.ticket;
  const user = (await deps.users.find(userId))?.user;
  if (user === undefined || !mayHaveTokens(deps.settings, user)) return null;
  const tokens = await prepareTokens(deps, user, { tokenLimits });
  const publicClaims = await findPublicClaims(deps, user, options);
  const toDevice = prepareDeviceToken(deps, user, { usernameKey });
  const { accessTokenLifetime } = deps.settings;
  const { result } = await deps.store.sessions.decide(sessionId, (snapshot) =>
    decideRepeatedLogin(snapshot, { idempotencyKey, accessTokenLifetime }),
  );
  if (result === null) return null;
  const { session } = result;
  return { user, session, pair: tokens.mintPair(result), device: toDevice(session.userEpoch), ...publicClaims };
}

/** Decides while the row is locked. Pure. */
function decideRepeatedLogin(
  snapshot: SessionSnapshot | null,
  { idempotencyKey, accessTokenLifetime }: { readonly idempotencyKey: string; readonly accessTokenLifetime: number },
): Verdict<PairSource | null> {
  if (snapshot === null || findSessionRefusal(snapshot) !== null) return { result: null };
  const { session } = snapshot;
  const secret = deriveLoginSecret(idempotencyKey, session.id);
  // Only the key of the first request derives the session's first secret.
  if (session.generation !== 0 || !isSameHash(session.currentHash, hashSecret(secret))) return { result: null };
  return toReplayVerdict(snapshot, { secret, accessTokenLifetime });
}
