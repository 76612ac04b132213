/**
 * Durations are whole seconds everywhere in tokenpair; these write them so that the unit can be read.
 *
 * @example
 * createAuth({ store, signingKey, accessTokenLifetime: minutes(15), refreshTokenLifetime: days(14) });
 */

/** `n` minutes in seconds. */
export const minutes = (n: number): number => n * 60;

/** `n` hours in seconds. */
export const hours = (n: number): number => n * 3_600;

/** `n` days in seconds. */
export const days = (n: number): number => n * 86_400;
