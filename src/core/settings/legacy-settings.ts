/** The algorithms with which simplejwt signs tokens. */
export type LegacyAlgorithm = "HS256" | "HS384" | "HS512" | "RS256" | "RS384" | "RS512" | "ES256" | "ES384" | "ES512";

/** The move from simplejwt. Users stay logged in, because the server accepts each of their refresh tokens once. */
export interface LegacySettings {
  /**
   * The time until which `legacyRefreshKey` (on the server, `legacyRefreshKeyFile`) is used. A date such as
   * "2026-09-30" means midnight UTC at the beginning of that day. A time such as "2026-09-30T18:00:00Z" is also
   * allowed. It must be at most 30 days ahead. Required if the key is set. Default: none.
   */
  readonly legacyRefreshUntil: string | undefined;
  /**
   * The algorithm of simplejwt's tokens: its setting `ALGORITHM`. Default: the one that fits the key: HS256 for a secret,
   * RS256 for RSA, and ES256, ES384 or ES512 depending on the curve.
   */
  readonly legacyRefreshAlgorithm: LegacyAlgorithm | undefined;
}

/** The form of `legacyRefreshUntil`. */
export const legacyUntilPattern = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d))?$/;

/** Returns `legacyRefreshUntil` in whole seconds since the epoch, or `null` if there is no such day or time. */
export function toLegacyUntil(text: string): number | null {
  const [, date = "", time = "T00:00Z"] = /^(\d{4}-\d\d-\d\d)(T.*)?$/.exec(text) ?? [];
  const until = Date.parse(date + time);
  // Date.parse moves February 30 to March.
  const isDay = Number.isFinite(until) && new Date(`${date}T00:00Z`).toISOString().startsWith(date);
  return isDay ? Math.floor(until / 1000) : null;
}
