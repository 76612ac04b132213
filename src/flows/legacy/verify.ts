import type { RefreshClaims } from "../../core/claims.ts";
import { AuthError } from "../../core/errors.ts";
import type { LegacyClaims } from "../../crypto/legacy/legacy-tokens.ts";
import type { Deps } from "../deps.ts";

/**
 * Returns the claims of a refresh token of tokenpair or, during the migration from simplejwt, of simplejwt.
 *
 * @throws AuthError with a code that starts with `token_`.
 */
export function verifyAnyRefreshToken(
  { tokens, legacyTokens }: Pick<Deps, "tokens" | "legacyTokens">,
  token: string,
): RefreshClaims | LegacyClaims {
  try {
    return tokens.verifyRefresh(token);
  } catch (error) {
    const isRefused = error instanceof AuthError && error.code.startsWith("token_");
    const legacy = isRefused ? (legacyTokens?.verify(token) ?? null) : null;
    if (legacy === null) throw error;
    return legacy;
  }
}
