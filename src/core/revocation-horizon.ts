/** Seconds for which a revocation is kept longer than the tokens that it revokes, because clocks differ. */
export const clockMargin = 60;

/** The longest life of an access token of version 0.1, in seconds: its revocations don't say how long they are needed. */
const longestUnknownLife = 86_400;

/** Seconds for which the store keeps a revocation after its last token has expired: readers' clocks may be far behind. */
export const revocationRetention = 86_400;

/** Returns the time until which tokens exist that an entry revokes: whole seconds since the epoch. */
export function toRevocationEnd({ at, until }: { readonly at: number; readonly until?: number }): number {
  return until ?? at + longestUnknownLife;
}
