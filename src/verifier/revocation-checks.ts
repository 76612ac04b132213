import type { AccessClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { Freshness } from "./freshness.ts";
import type { KnownRevocations } from "./known-revocations.ts";
import type { VerifierEvent, VerifierOptions } from "./options.ts";

/** Checks genuine tokens against the revocations that were read from the feed. */
export interface RevocationChecks {
  /**
   * Checks a token against the revocations, in one synchronous piece with their freshness.
   *
   * @param wall the wall clock in milliseconds.
   * @throws AuthError `unavailable` if they are too old; `token_revoked`.
   */
  requireNotRevoked(claims: AccessClaims, wall: number): void;
  /** Reports that the revocations have become too old, or are fresh again; each once. */
  reportStaleness(): void;
  /** Tokens that were accepted although the revocations were too old. */
  readonly acceptedStale: number;
}

/** The options of `createRevocationChecks`. */
export interface RevocationChecksOptions {
  readonly known: Pick<KnownRevocations, "isRevoked">;
  readonly freshness: Pick<Freshness, "isFresh" | "staleness">;
  readonly isLoaded: () => boolean;
  readonly clock: Clock;
  readonly onStale: NonNullable<VerifierOptions["onStale"]>;
  readonly emit: (event: VerifierEvent) => void;
}

/** Milliseconds between two events about tokens that were accepted although the revocations were too old. */
const reportInterval = 1_000;

/** Creates the checks of a verifier that has accepted no token yet. */
export function createRevocationChecks(options: RevocationChecksOptions): RevocationChecks {
  const { known, freshness, isLoaded, clock, onStale, emit } = options;
  let acceptedStale = 0;
  let reportedAt = Number.NEGATIVE_INFINITY;
  let isReportedStale = false;

  function countAccepted(): void {
    acceptedStale += 1;
    const now = clock.monotonic();
    if (now - reportedAt < reportInterval) return;
    reportedAt = now;
    emit({ type: "accepted_stale", staleness: freshness.staleness() });
  }

  return {
    requireNotRevoked(claims, wall) {
      const isFresh = freshness.isFresh(wall);
      // Before the first load nothing is known, and perhaps the credential is wrong.
      if (!isFresh && (onStale === "refuse" || !isLoaded())) {
        throw new AuthError("unavailable", "revocations are not loaded or too stale");
      }
      if (known.isRevoked(claims)) throw new AuthError("token_revoked", "revoked");
      if (!isFresh) countAccepted();
    },
    reportStaleness() {
      if (!isLoaded()) return;
      const isStale = !freshness.isFresh();
      if (isStale === isReportedStale) return;
      isReportedStale = isStale;
      emit(isStale ? { type: "stale", staleness: freshness.staleness() } : { type: "fresh" });
    },
    get acceptedStale() {
      return acceptedStale;
    },
  };
}
