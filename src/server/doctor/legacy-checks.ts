import { resolve } from "node:path";
import { systemClock } from "../../core/runtime/clock.ts";
import { toLegacyUntil } from "../../core/settings/legacy-settings.ts";
import type { Store } from "../../core/store/index.ts";
import { toCount, toTime } from "../../core/text.ts";
import { toLegacyTokens } from "../../crypto/legacy/from-settings.ts";
import { type Check, fail, ok, warn } from "../../staff/health/check.ts";
import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config-error.ts";
import { readLegacyKey } from "../config/legacy-key.ts";
import { isReadableByOthers } from "./key-check.ts";

const name = "simplejwt key";

/** Checks simplejwt's key and the time until which it is used. Returns no findings without `legacyRefreshKeyFile`. */
export function checkLegacyKey(config: Config): readonly Check[] {
  const { server, settings, directory } = config;
  try {
    const tokens = toLegacyTokens({ key: readLegacyKey(config), settings, clock: systemClock });
    if (tokens === null) return [];
    const time = toTime(tokens.until);
    if (systemClock.now() >= tokens.until) {
      return [warn(name, `Ignored since ${time}. Remove legacyRefreshKeyFile and legacyRefreshUntil.`)];
    }
    const file = resolve(directory, server.legacyRefreshKeyFile ?? "");
    return isReadableByOthers(file)
      ? [warn(name, `Other users can read ${file}. Run: chmod 600 ${file}`)]
      : [ok(name, `Refresh tokens of simplejwt are accepted until ${time}. Remove the settings then.`)];
  } catch (error) {
    if (error instanceof ConfigError || error instanceof TypeError) return [fail(name, error.message)];
    throw error;
  }
}

/**
 * Checks that the tokens that simplejwt has revoked were imported. Returns no findings if simplejwt's tokens aren't
 * accepted.
 */
export async function checkLegacyTokens(
  store: Pick<Store, "legacy">,
  { server, settings }: Config,
): Promise<readonly Check[]> {
  const until = toLegacyUntil(settings.legacyRefreshUntil ?? "") ?? 0;
  if (server.legacyRefreshKeyFile === undefined || systemClock.now() >= until) return [];
  const { redeemed, revoked } = await store.legacy.count();
  return [
    revoked === 0
      ? warn("revoked tokens", "None imported: tokens that simplejwt has revoked are accepted. Import token_blacklist.")
      : ok("revoked tokens", `${toCount(revoked, "token")} can't be redeemed, ${toCount(redeemed, "token")} were.`),
  ];
}
