/** Timeouts for PostgreSQL stores whose tests aren't about timeouts: a busy machine must not make them fail. */
export const longTimeouts = { connectTimeout: 60_000, lockTimeout: 60_000, statementTimeout: 60_000 } as const;

/** The same as environment variables of server processes. Over SQLite, they have no effect. */
export const longTimeoutVariables = {
  TOKENPAIR_DATABASE_CONNECT_TIMEOUT: "60",
  TOKENPAIR_DATABASE_LOCK_TIMEOUT: "60",
  TOKENPAIR_DATABASE_STATEMENT_TIMEOUT: "60",
} as const;
