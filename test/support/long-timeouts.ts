/** Timeouts for PostgreSQL stores whose tests aren't about timeouts: a busy machine must not make them fail. */
export const longTimeouts = { connectTimeout: 60_000, lockTimeout: 60_000, statementTimeout: 60_000 } as const;
