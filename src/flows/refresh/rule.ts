import type { RefreshClaims } from "../../core/claims.ts";
import { AuthError } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import type { SessionSnapshot, Verdict } from "../../core/store/sessions.ts";
import { isSameHash } from "../../crypto/secrets.ts";
import type { RefreshOutcome } from "../../events/events.ts";
import { findTokenRefusal } from "../sessions/session-refusal.ts";

/** The decision of step 3 about a token that the conditional UPDATE did not match. */
export type SpentResult = Replay | Refusal | Changed;

/** The result that returns the same successor again. */
export interface Replay {
  readonly outcome: "replayed";
  readonly session: Session;
  /** The salt that derives the successor from the presented secret. */
  readonly salt: Uint8Array;
  /** The database's time, in whole seconds since the epoch. */
  readonly now: number;
  /** The global epoch, from the same read. */
  readonly globalEpoch: number;
  /** The latest `exp` that the issued access token may have. */
  readonly accessUntil: number;
}

/** The result that returns no tokens. */
export interface Refusal {
  readonly outcome: Extract<RefreshOutcome, "refused" | "reuse_detected" | "state_lost">;
  /** The error that the client gets. */
  readonly error: AuthError;
  /** The database's time, in whole seconds since the epoch. `undefined` if there is no row. */
  readonly now: number | undefined;
}

/**
 * The result if the row now matches, because a concurrent change has finished since step 2. Step 2 can be tried once
 * more.
 */
export interface Changed {
  readonly outcome: "changed";
  /** The error that the client gets if step 2 isn't tried again. */
  readonly error: AuthError;
  /** The database's time, in whole seconds since the epoch. */
  readonly now: number;
}

/** What the client presented, in addition to the token's claims. */
export interface Presentation {
  /** SHA-256 of the presented secret. */
  readonly presentedHash: Uint8Array;
  /** SHA-256 of the idempotency key, or `null` if the client sent none. */
  readonly idempotencyHash: Uint8Array | null;
  /** The setting `reuseInterval`, in seconds. */
  readonly reuseInterval: number;
  /** The setting `accessTokenLifetime`, in seconds. */
  readonly accessTokenLifetime: number;
}

/**
 * Does step 3 of a refresh: decides while the row is locked. Pure. The lettered cases are those of docs/refresh.md.
 */
export function decideRefresh(
  presented: RefreshClaims,
  { presentedHash, idempotencyHash, reuseInterval, accessTokenLifetime }: Presentation,
  snapshot: SessionSnapshot | null,
): Verdict<SpentResult> {
  // a  Claims that disagree with the row; no row, revoked, expired, user gone or inactive, or a newer password. Nothing changes.
  const refusal = findTokenRefusal(snapshot, presented);
  if (refusal !== null) return refused(refusal, snapshot?.now);
  const { session, now, globalEpoch } = snapshot as SessionSnapshot;
  const { generation: n } = presented;

  // b  The previous generation, with the same idempotency key or within the reuse interval: a replay. Within the interval the
  //    access token ends with the first one's, if that is long enough; else the row notes that it ends later. Nothing else
  //    changes.
  const isPrevious = session.generation === n + 1 && isSameHash(session.previousHash, presentedHash);
  if (isPrevious && session.salt !== null && session.rotatedAt !== null) {
    const isRetry = idempotencyHash !== null && isSameHash(session.idempotencyHash, idempotencyHash);
    const isInTime = now <= session.rotatedAt + reuseInterval;
    if (isRetry || isInTime) {
      const latest = Math.min(now + accessTokenLifetime, session.absoluteExpiresAt);
      const noted = Math.min(latest, session.accessUntil ?? 0);
      const accessUntil = isInTime && noted - now >= accessTokenLifetime / 2 ? noted : latest;
      const result = { outcome: "replayed", session, salt: session.salt, now, globalEpoch, accessUntil } as const;
      return accessUntil > (session.accessUntil ?? 0) ? { result, accessUntil } : { result };
    }
  }

  // c  A genuine, spent token: reuse detected. Revokes this session and no other.
  if (isPrevious || session.generation >= n + 2) {
    const error = new AuthError("token_revoked", "a spent refresh token was presented again", { sessionEnded: true });
    return { result: { outcome: "reuse_detected", error, now }, revoke: "reuse" };
  }

  // d  The row matches now: a clock was set back, or a concurrent change has finished. Step 2 again, once; then the client tries
  //    again.
  if (session.generation === n && isSameHash(session.currentHash, presentedHash)) {
    return { result: { outcome: "changed", error: sessionChanged(), now } };
  }

  // e  Genuine, but unknown to the row: the database was restored to an older state. Nothing is revoked.
  const error = new AuthError("token_revoked", "the store has lost this session's newer state");
  return { result: { outcome: "state_lost", error, now } };
}

/** Returns the error that a client gets if its session kept changing during the refresh. */
export function sessionChanged(): AuthError {
  return new AuthError("unavailable", "the session changed during the refresh");
}

function refused(error: AuthError, now: number | undefined): Verdict<SpentResult> {
  return { result: { outcome: "refused", error, now } };
}
