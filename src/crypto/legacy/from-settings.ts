import type { Clock } from "../../core/runtime/clock.ts";
import { days } from "../../core/settings/durations.ts";
import { toLegacyUntil } from "../../core/settings/legacy-settings.ts";
import { SettingError } from "../../core/settings/setting-error.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { AuthUser } from "../../core/user.ts";
import { parseLegacyKey } from "./legacy-key.ts";
import { createLegacyTokens, type LegacyTokens } from "./legacy-tokens.ts";

/**
 * How far ahead `legacyRefreshUntil` may be, in seconds. Until that time, anyone who has an HMAC key can create tokens for
 * any user.
 */
const longest = days(30);

/** The parameters of `toLegacyTokens`. */
export interface LegacyTokensSource {
  /** The setting `legacyRefreshKey`, or the content of `legacyRefreshKeyFile`. */
  readonly key: string | Uint8Array | undefined;
  readonly settings: Settings<AuthUser>;
  readonly clock: Clock;
}

/**
 * Creates the verifier of simplejwt's refresh tokens from the settings. Ignores the key if `legacyRefreshUntil` has passed.
 *
 * @returns `null` without these settings.
 * @throws SettingError if one of them is missing or wrong, or if the time is more than 30 days ahead.
 */
export function toLegacyTokens({ key, settings, clock }: LegacyTokensSource): LegacyTokens | null {
  const { legacyRefreshUntil: text, legacyRefreshAlgorithm } = settings;
  if (key === undefined && text === undefined) return null;
  if (key === undefined) {
    throw new SettingError(
      "legacyRefreshUntil",
      "needs the key of simplejwt too: legacyRefreshKey, or legacyRefreshKeyFile of the server.",
    );
  }
  const until = text === undefined ? null : toLegacyUntil(text);
  if (until === null) {
    throw new SettingError(
      "legacyRefreshKey",
      'needs legacyRefreshUntil too. Example: legacyRefreshUntil: "2026-09-30"',
    );
  }
  const now = clock.now();
  if (until > now + longest) {
    throw new SettingError(
      "legacyRefreshUntil",
      `must be at most 30 days ahead, got "${text}". Choose an earlier day.`,
    );
  }
  if (now >= until) return Object.freeze({ until, verify: () => null });
  return createLegacyTokens({ key: parseLegacyKey(key, legacyRefreshAlgorithm), until, clock, settings });
}
