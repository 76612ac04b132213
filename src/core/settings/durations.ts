/**
 * Converts minutes to seconds, the unit of every duration in tokenpair.
 *
 * @example
 * createAuth({ store, signingKey, accessTokenLifetime: minutes(15) });
 */
export const minutes = (n: number): number => n * 60;

/**
 * Converts hours to seconds, the unit of every duration in tokenpair.
 *
 * @example
 * createAuth({ store, signingKey, accessTokenLifetime: hours(1) });
 */
export const hours = (n: number): number => n * 3_600;

/**
 * Converts days to seconds, the unit of every duration in tokenpair.
 *
 * @example
 * createAuth({ store, signingKey, refreshTokenLifetime: days(14) });
 */
export const days = (n: number): number => n * 86_400;
