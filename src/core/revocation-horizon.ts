import { settingRules } from "./settings/rules.ts";
import type { Settings } from "./settings/settings.ts";

/** Seconds for which a revocation is kept longer than the tokens that it revokes, because clocks differ. */
export const clockMargin = 60;

/**
 * Returns how long a node with these settings must remember a revocation: as long as a revoked token can live. Seconds.
 */
export function toRevocationHorizon({
  accessTokenLifetime,
  leeway,
}: Pick<Settings, "accessTokenLifetime" | "leeway">): number {
  return accessTokenLifetime + leeway + clockMargin;
}

/**
 * How long the store keeps a revocation, in seconds: long enough under any settings, because a process that cleans up
 * may have other settings than the servers.
 */
export const revocationRetention = toRevocationHorizon({
  accessTokenLifetime: settingRules.accessTokenLifetime.max,
  leeway: settingRules.leeway.max,
});
