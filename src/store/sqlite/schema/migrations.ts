import type { Migration } from "../../migrations.ts";

/**
 * The migrations of the SQLite store. All times are whole seconds since the epoch. A released migration never changes.
 */
export const migrations: readonly Migration[] = [
  {
    number: 1,
    name: "0001_initial",
    sql: `
      CREATE TABLE users (
        position INTEGER PRIMARY KEY, -- order of creation
        id TEXT NOT NULL UNIQUE,
        username TEXT NOT NULL,
        username_key TEXT UNIQUE, -- NULL: the user is kept in a table of the application
        email TEXT,
        is_active INTEGER NOT NULL,
        is_staff INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        password_hash TEXT,
        created_at INTEGER NOT NULL,
        last_login_at INTEGER
      ) STRICT;

      -- One row: the highest number that was ever a user's id.
      CREATE TABLE user_numbers (last INTEGER NOT NULL) STRICT;
      INSERT INTO user_numbers (last) VALUES (0);

      CREATE TABLE sessions (
        id TEXT NOT NULL PRIMARY KEY,
        user_id TEXT NOT NULL, -- no foreign key: an ended session outlives its user
        user_epoch INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        current_hash BLOB NOT NULL,
        previous_hash BLOB,
        salt BLOB,
        attempt_hash BLOB,
        rotated_at INTEGER,
        created_at INTEGER NOT NULL,
        last_used_at INTEGER NOT NULL,
        idle_expires_at INTEGER NOT NULL,
        absolute_expires_at INTEGER NOT NULL,
        revoked_at INTEGER,
        revoke_reason TEXT,
        persistent INTEGER NOT NULL,
        user_agent TEXT,
        ip TEXT,
        label TEXT,
        -- When to look whether the session has expired. A rotation leaves it alone, and so touches no index.
        cleanup_at INTEGER NOT NULL,
        -- So that a session has expired exactly when its idle time is over.
        CHECK (idle_expires_at <= absolute_expires_at),
        CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL))
      ) STRICT;
      CREATE INDEX sessions_live_by_user ON sessions (user_id) WHERE revoked_at IS NULL;
      CREATE INDEX sessions_by_cleanup ON sessions (cleanup_at);
      CREATE INDEX sessions_by_revocation ON sessions (revoked_at) WHERE revoked_at IS NOT NULL;

      CREATE TABLE revocations (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, -- one writer at a time: the order of seq is the order of commits
        kind TEXT NOT NULL CHECK (kind IN ('session', 'user', 'token', 'all')),
        key TEXT, -- id of the session, user or token
        epoch INTEGER, -- of kind 'user'
        at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX revocations_by_time ON revocations (at);
      CREATE INDEX revocations_by_user ON revocations (key) WHERE kind = 'user';
    `,
  },
  {
    number: 2,
    name: "0002_feed_lag",
    sql: `
      ALTER TABLE revocations ADD COLUMN appended_ms INTEGER; -- milliseconds since the epoch: how long a reader took

      -- To look up one token when a node's memory is too old to answer.
      CREATE INDEX revocations_of_tokens ON revocations (key) WHERE kind = 'token';
      CREATE INDEX revocations_of_all ON revocations (at) WHERE kind = 'all';
    `,
  },
  {
    number: 3,
    name: "0003_login_failures",
    sql: `
      CREATE TABLE login_failures (
        key TEXT NOT NULL PRIMARY KEY, -- what is counted: its kind and a hash
        failures INTEGER NOT NULL,
        last_at INTEGER NOT NULL,
        expires_at INTEGER -- NULL: until a success or an unlock
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX login_failures_by_expiry ON login_failures (expires_at) WHERE expires_at IS NOT NULL;
    `,
  },
  {
    number: 4,
    name: "0004_audit",
    sql: `
      CREATE TABLE audit_log (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, -- one writer at a time: the order of seq is the order of commits
        at INTEGER NOT NULL,
        type TEXT NOT NULL, -- no list of the types: another version may know others
        user_id TEXT,
        session_id TEXT,
        ip TEXT,
        user_agent TEXT,
        actor TEXT,
        reason TEXT,
        details TEXT NOT NULL -- JSON of what else the event says
      ) STRICT;
      CREATE INDEX audit_log_by_time ON audit_log (at);
      CREATE INDEX audit_log_by_user ON audit_log (user_id) WHERE user_id IS NOT NULL;
      CREATE INDEX audit_log_by_session ON audit_log (session_id) WHERE session_id IS NOT NULL;
      CREATE INDEX audit_log_of_devices ON audit_log (user_id, user_agent) WHERE type = 'login';

      CREATE TABLE webhook_outbox (
        id TEXT NOT NULL PRIMARY KEY,
        at INTEGER NOT NULL, -- when it happened
        body TEXT NOT NULL, -- JSON
        attempts INTEGER NOT NULL DEFAULT 0,
        next_at INTEGER NOT NULL -- when to try, and until when the node that tries has it for itself
      ) STRICT;
      CREATE INDEX webhook_outbox_by_turn ON webhook_outbox (next_at);
    `,
  },
];
