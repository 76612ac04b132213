import type { AccessClaims } from "../../core/claims.ts";
import type { Clock } from "../../core/runtime/clock.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { VerifyingKeys } from "../keys/key-set.ts";
import { toAccessHeader } from "../keys/signing-key.ts";
import { createClaimsCache } from "./claims-cache.ts";
import { type TokenRules, toAccessClaims, verifyToken } from "./genuine-tokens.ts";

/** Verifies access tokens. No I/O. */
export interface AccessTokens {
  /**
   * Returns the claims of a genuine access token that has not expired. With `verifyCacheSize`, the next call with this token
   * gets the same object, so it is deeply frozen.
   *
   * @param now the wall clock in whole seconds, if the caller has read it already.
   * @throws AuthError, in this order: `token_invalid` (form, signature, times, `iss`, `aud`) or `token_expired`,
   * `token_without_exp`, `token_without_id`, `token_without_type`, `token_wrong_type`, `token_without_user`, and
   * `token_invalid` for any other invalid claim. What `keys` throws.
   */
  verify(token: string, now?: number): AccessClaims;
  /** Forgets the tokens that have been verified. Another key set does that too. */
  forget(): void;
}

/** The options of `createAccessTokens`. */
export interface AccessTokensOptions {
  /** Returns the keys of this moment. As long as nothing has changed, it must return the same object. */
  readonly keys: () => VerifyingKeys;
  readonly clock: Pick<Clock, "now">;
  readonly settings: TokenRules & Pick<Settings, "verifyCacheSize" | "accessTokenProfile">;
}

/**
 * Creates the verification of access tokens. Verified tokens are cached until the key set changes, so that a token of a removed
 * key isn't accepted.
 */
export function createAccessTokens({ keys, clock, settings }: AccessTokensOptions): AccessTokens {
  const cache = createClaimsCache(settings.verifyCacheSize, settings);
  let last: VerifyingKeys | undefined;
  let accessHeader: string | undefined;

  function current(): VerifyingKeys {
    const set = keys();
    if (last === set) return set;
    cache.clear();
    last = set;
    accessHeader = toAccessHeader(set.access, settings);
    return set;
  }

  return {
    verify(token, now = clock.now()) {
      const set = current();
      const known = cache.get(token, now);
      if (known !== undefined) return known;
      const genuine = verifyToken(token, { rules: settings, keys: set, accessHeader, now, type: "access" });
      const claims = toAccessClaims(genuine, settings);
      cache.set(token, claims);
      return claims;
    },
    forget: () => cache.clear(),
  };
}
