import type { TokenPair } from "../../core/claims.ts";
import type { Session } from "../../core/session.ts";
import type { SessionSnapshot, Verdict } from "../../core/store/sessions.ts";
import { deriveChangeSecret, hashIdempotencyKey, hashSecret, isSameHash } from "../../crypto/secrets.ts";
import type { Confirmed, ConfirmOptions } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { prepareDeviceToken } from "../sessions/device.ts";
import type { SessionOwner } from "../sessions/logout.ts";
import { findSessionRefusal } from "../sessions/session-refusal.ts";
import { type PairSource, prepareTokens, type TokenLimitOptions, toReplayVerdict } from "../sessions/token-pair.ts";

/** The session that changed the password of its user, with its new pair of tokens. */
export interface PasswordChanged extends Confirmed {
  /** The session's row. */
  readonly session: Session;
  /** The session's new pair. */
  readonly pair: TokenPair;
  /** A new token that marks the device as known. Tokens from before the change are no longer valid. */
  readonly device: string;
}

/**
 * Answers a repeated request to change a password. The client has lost the first answer and sends the request again with
 * the same idempotency key. The current password isn't checked, because it has already changed.
 *
 * @returns the same refresh token as the first time. `null` if the session's last change had a different key, or if the
 * session has been refreshed since. A refresh proves that the client got the first answer.
 * @throws AuthError `unavailable` if the token can't be created.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function repeatPasswordChange(
  deps: Deps,
  { sessionId, userId }: SessionOwner,
  {
    idempotencyKey,
    tokenLimits,
    confirmed = deps.settings.confirmRevocations,
  }: { readonly idempotencyKey: string } & ConfirmOptions & TokenLimitOptions,
): Promise<PasswordChanged | null> {
  const found = await deps.store.sessions.find(sessionId);
  if (!isSameHash(found?.session.changeHash ?? null, hashIdempotencyKey(idempotencyKey))) return null;
  const user = (await deps.users.find(userId))?.user;
  if (user === undefined) return null;
  const tokens = await prepareTokens(deps, user, { tokenLimits });
  const toDevice = prepareDeviceToken(deps, user);
  const { accessTokenLifetime } = deps.settings;
  const { result } = await deps.store.sessions.decide(sessionId, (snapshot) =>
    decideRepeatedChange(snapshot, { userId, idempotencyKey, accessTokenLifetime }),
  );
  if (result === null) return null;
  const { session } = result;
  const device = toDevice(session.userEpoch);
  // The confirmation of the first request is lost with its answer.
  return { session, pair: tokens.mintPair(result), device, ...(confirmed ? { confirmed: "pending" } : {}) };
}

interface Repeat {
  readonly userId: string;
  readonly idempotencyKey: string;
  /** How long the access token is valid, in seconds. */
  readonly accessTokenLifetime: number;
}

/** Decides about a repeated request while the row is locked. Pure. */
function decideRepeatedChange(
  snapshot: SessionSnapshot | null,
  { userId, idempotencyKey, accessTokenLifetime }: Repeat,
): Verdict<PairSource | null> {
  if (snapshot === null || findSessionRefusal(snapshot) !== null) return { result: null };
  const { session } = snapshot;
  const isSame = session.userId === userId && isSameHash(session.changeHash, hashIdempotencyKey(idempotencyKey));
  const secret = deriveChangeSecret(idempotencyKey, session.id, session.userEpoch);
  if (!isSame || !isSameHash(session.currentHash, hashSecret(secret))) return { result: null };
  return toReplayVerdict(snapshot, { secret, accessTokenLifetime });
}
