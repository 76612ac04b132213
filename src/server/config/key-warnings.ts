import type { Settings } from "../../core/settings/settings.ts";
import type { LegacyKeyEvent } from "../../events/events.ts";

/**
 * Returns what is unsafe about tokens that are signed with a private key, as full sentences.
 *
 * @param algorithm the algorithm of the key that signs access tokens, or `null` if it is unknown.
 */
export function toKeyWarnings(
  algorithm: string | null,
  { issuer, audience }: Pick<Settings, "issuer" | "audience">,
): readonly string[] {
  if (algorithm === null || algorithm.startsWith("HS") || (issuer !== undefined && audience !== undefined)) return [];
  const missing =
    issuer !== undefined ? "audience is" : audience !== undefined ? "issuer is" : "issuer and audience are";
  return [
    `${missing} not set. Services that verify tokens with the public key can't tell tokens for them from others. Set both.`,
  ];
}

/** Returns what the operator should do about simplejwt's key, as full sentences. */
export function toLegacyWarnings({
  state,
  revokedTokens,
}: Pick<LegacyKeyEvent, "state" | "revokedTokens">): readonly string[] {
  if (state === "ignored") {
    return [
      "legacyRefreshUntil is over, so the key of simplejwt is ignored. Remove legacyRefreshKeyFile and legacyRefreshUntil.",
    ];
  }
  if (revokedTokens > 0) return [];
  return [
    "No revoked token of simplejwt is stored, so all of its tokens are accepted once. Import token_blacklist with `tokenpair users import`.",
  ];
}
