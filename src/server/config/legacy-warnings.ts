import type { LegacyKeyEvent } from "../../events/events.ts";

/** Returns what is to do about the key of simplejwt: full sentences. */
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
