import type { AccessClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { Clock } from "../core/runtime/clock.ts";
import { type AccessTokensOptions, createAccessTokens } from "../crypto/tokens/access-tokens.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import type { VerifierFeed } from "./verifier-feed.ts";

/** Decides whether an access token is accepted, by the keys and the revocations that have been read. */
export interface TokenChecks {
  /**
   * Returns the claims of a token that is accepted.
   *
   * @param isDue whether something must be read before a token can be accepted. If so, a token is refused with `unavailable`, unless
   * no reading could make it acceptable.
   * @throws AuthError as `AccessTokens.verify`; `token_revoked`; `unavailable`.
   */
  verify(token: string, isDue: boolean): AccessClaims;
  /** Returns whether the revocations are fresh, and nothing must be read before the token that is being verified. */
  isFeedFresh(): boolean;
}

/** The parts that `createTokenChecks` connects. */
export interface TokenChecksOptions {
  readonly keys: Pick<IssuerKeys, "current">;
  /** `null` if revocations aren't read. */
  readonly feed: Pick<VerifierFeed, "isFresh" | "requireNotRevoked"> | null;
  readonly clock: Clock;
  readonly settings: AccessTokensOptions["settings"];
}

/** Creates the checks of a verifier's tokens. */
export function createTokenChecks({ keys, feed, clock, settings }: TokenChecksOptions): TokenChecks {
  const tokens = createAccessTokens({ keys: keys.current, clock, settings });
  /** The argument of `verify` while it runs, for keys that aren't known: they call `isFeedFresh`. */
  let isReadingDue = false;

  return {
    verify(token, isDue) {
      isReadingDue = isDue;
      try {
        // One reading of the clock for the token's times and the freshness.
        const wall = clock.wall();
        const claims = tokens.verify(token, Math.floor(wall / 1000));
        feed?.requireNotRevoked(claims, wall);
        if (isReadingDue) throw needsReading();
        return claims;
      } finally {
        isReadingDue = false;
      }
    },
    isFeedFresh: () => !isReadingDue && feed?.isFresh() === true,
  };
}

/** Returns the refusal of a token for which something must be read first. */
export const needsReading = () => new AuthError("unavailable", 'revocations: "pull" needs authenticateAsync');
