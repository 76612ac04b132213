import { settingRules } from "./settings/rules.ts";
import type { Settings } from "./settings/settings.ts";

/** Seconds by which a revocation is held longer than the tokens it ends, for clocks that differ. */
export const clockMargin = 60;

/** How long a node with these settings must remember a revocation: as long as a token that it ends can live. Seconds. */
export function toRevocationHorizon({
  accessTokenLifetime,
  leeway,
}: Pick<Settings, "accessTokenLifetime" | "leeway">): number {
  return accessTokenLifetime + leeway + clockMargin;
}

/**
 * How long the store keeps a revocation: long enough under any settings, as whoever cleans up need not have those of the
 * servers. Seconds.
 */
export const revocationRetention = toRevocationHorizon({
  accessTokenLifetime: settingRules.accessTokenLifetime.max,
  leeway: settingRules.leeway.max,
});
