import type { Migration } from "../../migrations.ts";

/**
 * The migrations of the SQLite store. All times are whole seconds since the epoch. A migration never changes after its
 * release.
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
  {
    number: 5,
    name: "0005_revocation_without_clocks",
    sql: `
      -- One row: what holds for all nodes and all users.
      CREATE TABLE installation (
        singleton INTEGER PRIMARY KEY DEFAULT 1 CHECK (singleton = 1),
        global_epoch INTEGER NOT NULL DEFAULT 0, -- raised by "revoke all"
        least_global_epoch INTEGER NOT NULL DEFAULT 0, -- sessions below it are revoked, even if their rows don't say so yet
        all_revoked_at INTEGER, -- when and why that was
        all_revoked_reason TEXT,
        longest_access INTEGER NOT NULL, -- seconds: the longest accessTokenLifetime that was ever used here
        longest_lease_ms INTEGER NOT NULL, -- the longest maxStaleness that any node has used
        settled TEXT -- the file in which the registry of nodes is known to be complete; migrate() replaces 'new'
      ) STRICT;
      -- If no user has logged in yet, no node can have an old lease.
      INSERT INTO installation (longest_access, longest_lease_ms, settled)
        SELECT 0, 10000, CASE WHEN NOT EXISTS (SELECT 1 FROM sessions) AND NOT EXISTS (SELECT 1 FROM audit_log)
          AND NOT EXISTS (SELECT 1 FROM users) THEN 'new' END;

      -- The processes that accept access tokens from memory.
      CREATE TABLE nodes (
        id TEXT NOT NULL PRIMARY KEY, -- random, and new for every registration
        name TEXT,
        lease_ms INTEGER NOT NULL, -- for how long the node accepts tokens after a read
        seen TEXT, -- the position that the node has applied
        incarnation TEXT NOT NULL, -- the file in which the node registered
        leaving INTEGER NOT NULL DEFAULT 0, -- the node will be removed: its reads don't count
        beat INTEGER NOT NULL DEFAULT 0,
        clock_ahead_ms INTEGER, -- by how much the node's clock is ahead
        joined_at INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;

      ALTER TABLE revocations ADD COLUMN until INTEGER; -- the latest exp of a token that the entry revokes; NULL: version 0.1 wrote it
      ALTER TABLE revocations ADD COLUMN except_key TEXT; -- of kind 'user': the session that stays
      ALTER TABLE revocations ADD COLUMN confirm INTEGER NOT NULL DEFAULT 0; -- a caller waits until every node has it
      ALTER TABLE revocations ADD COLUMN reason INTEGER;
      CREATE INDEX revocations_by_until ON revocations (coalesce(until, at + 86400));

      ALTER TABLE sessions ADD COLUMN access_until INTEGER; -- the latest exp of an access token of the session
      ALTER TABLE sessions ADD COLUMN least_epoch INTEGER; -- the lowest user epoch that a refresh token may carry; NULL: user_epoch
      ALTER TABLE sessions ADD COLUMN change_hash BLOB; -- hash of the idempotency key of the last password change
      ALTER TABLE sessions ADD COLUMN global_epoch INTEGER; -- at the login; NULL: 0
      -- Version 0.1 doesn't know the column.
      CREATE TRIGGER sessions_of_version_0_1 AFTER INSERT ON sessions WHEN NEW.global_epoch IS NULL BEGIN
        UPDATE sessions SET global_epoch = (SELECT global_epoch FROM installation) WHERE rowid = NEW.rowid;
      END;
      ALTER TABLE users ADD COLUMN epoch_reason TEXT; -- why the epoch was raised last
    `,
  },
  {
    number: 6,
    name: "0006_keys",
    sql: `
      ALTER TABLE installation ADD COLUMN keys_version INTEGER NOT NULL DEFAULT 0; -- raised by every change of a key or a service
      -- Since when refresh tokens are signed by their own key; NULL: nodes of 0.1 may serve. migrate() sets it in a new database.
      ALTER TABLE installation ADD COLUMN own_refresh_since INTEGER;

      CREATE TABLE signing_keys (
        kid TEXT NOT NULL PRIMARY KEY, -- of a secret: the kid of its refresh key
        use TEXT NOT NULL, -- no list of the uses: another version may know others
        alg TEXT NOT NULL,
        public_jwk TEXT, -- JSON, for operators: it is not sealed, so nothing is verified with it
        private_sealed BLOB, -- NULL: the key is in a setting of the nodes, or was deleted
        kek_id TEXT,
        created_at INTEGER NOT NULL,
        signs_from INTEGER NOT NULL,
        retire_at INTEGER,
        retired_at INTEGER,
        CHECK ((private_sealed IS NULL) = (kek_id IS NULL)),
        CHECK (retired_at IS NULL OR private_sealed IS NULL)
      ) STRICT;

      CREATE TABLE services (
        name TEXT NOT NULL PRIMARY KEY,
        scopes TEXT NOT NULL, -- with spaces between them
        credential_hash BLOB UNIQUE, -- SHA-256; NULL: revoked
        prefix TEXT NOT NULL, -- the first characters of the credential, for operators
        previous_hash BLOB UNIQUE, -- of the credential that was replaced
        previous_until INTEGER,
        created_at INTEGER NOT NULL,
        revoked_at INTEGER,
        CHECK ((credential_hash IS NULL) = (revoked_at IS NOT NULL)),
        CHECK ((previous_hash IS NULL) = (previous_until IS NULL)),
        CHECK (previous_hash IS NULL OR credential_hash IS NOT NULL)
      ) STRICT;

      -- Refresh tokens of another system that were redeemed for a session, or must not be.
      CREATE TABLE legacy_tokens (
        jti TEXT NOT NULL PRIMARY KEY,
        session_id TEXT, -- the session that the token was redeemed for; NULL: the token was revoked
        spent_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL -- of the token; afterwards the row is not needed
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX legacy_tokens_by_expiry ON legacy_tokens (expires_at);

      -- Whether the user came from another system with this id. Only then are tokens of that system the user's.
      ALTER TABLE users ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;
    `,
  },
  {
    number: 7,
    name: "0007_authentication",
    sql: `
      ALTER TABLE sessions ADD COLUMN authenticated_at INTEGER; -- NULL: created_at; 0: long ago, in another system
      ALTER TABLE sessions ADD COLUMN amr TEXT; -- RFC 8176 values with spaces between them; NULL: unknown
      ALTER TABLE sessions ADD COLUMN actor TEXT; -- who acts for the user; NULL: the user

      -- Logins that wait for a second step.
      CREATE TABLE login_tickets (
        hash BLOB NOT NULL PRIMARY KEY, -- SHA-256 of the ticket
        user_id TEXT NOT NULL,
        user_epoch INTEGER NOT NULL, -- under which the password was verified
        username_key TEXT NOT NULL, -- under which failed logins are counted
        methods TEXT NOT NULL, -- how the step can be done, for the client: JSON
        persistent INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0, -- how often the step was tried
        used_at INTEGER,
        session_id TEXT, -- the session that the ticket was used for
        CHECK ((used_at IS NULL) = (session_id IS NULL))
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX login_tickets_by_expiry ON login_tickets (expires_at);
    `,
  },
  {
    number: 8,
    name: "0008_console",
    sql: `
      -- Why the actor acted, in the actor's own words.
      ALTER TABLE audit_log ADD COLUMN note TEXT;

      -- viewer, support or admin; NULL: not a member of the staff. Versions before this one read is_staff.
      ALTER TABLE users ADD COLUMN role TEXT CHECK (role IN ('viewer', 'support', 'admin'));
      UPDATE users SET role = 'viewer' WHERE is_staff = 1;

      -- The lists of the console. No rotation changes these columns.
      CREATE INDEX sessions_live_by_creation ON sessions (created_at, id) WHERE revoked_at IS NULL;
      CREATE INDEX sessions_by_creation ON sessions (created_at, id);
      CREATE INDEX sessions_by_user ON sessions (user_id, created_at, id);
      CREATE INDEX users_by_email ON users (lower(email), position) WHERE email IS NOT NULL;
      CREATE INDEX users_with_role ON users (position) WHERE role IS NOT NULL;
      CREATE INDEX users_inactive ON users (position) WHERE NOT is_active;
      DROP INDEX audit_log_by_time;
      CREATE INDEX audit_log_by_time ON audit_log (at, seq);
      CREATE INDEX audit_log_of_actors ON audit_log (at, seq) WHERE actor IS NOT NULL;
      CREATE INDEX audit_log_of_alarms ON audit_log (at, seq)
        WHERE type IN ('throttled', 'webhook_failed', 'store_unwritable', 'new_device');
      CREATE INDEX audit_log_of_reuse ON audit_log (at, seq) WHERE reason = 'reuse';

      -- What the nodes last said about themselves, while the console is on. Nothing depends on it.
      CREATE TABLE node_reports (
        id TEXT NOT NULL PRIMARY KEY,
        reported_at INTEGER NOT NULL,
        body TEXT NOT NULL -- JSON
      ) STRICT, WITHOUT ROWID;
    `,
  },
];
