/** How many seconds a revocation is kept beyond the expiry of the tokens that it revokes, because clocks differ. */
export const clockMargin = 60;

/**
 * The longest lifetime of an access token of version 0.1, in seconds. Revocations of that version don't say how long they
 * are needed.
 */
const longestUnknownLife = 86_400;

/**
 * How many seconds the store keeps a revocation after the last token that it revokes has expired. The clocks of readers may
 * be far behind.
 */
export const revocationRetention = 86_400;

/** Returns the time at which the last token that an entry revokes has expired, in whole seconds since the epoch. */
export function toRevocationEnd({ at, until }: { readonly at: number; readonly until?: number }): number {
  return until ?? at + longestUnknownLife;
}
