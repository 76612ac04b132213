import type { Migration } from "../../migrations.ts";

/**
 * The migrations of the PostgreSQL store. All times are whole seconds since the epoch. Texts that are used to find rows are
 * compared byte by byte, so that no index depends on the collations of the operating system. A migration never changes
 * after its release.
 */
export const migrations: readonly Migration[] = [
  {
    number: 1,
    name: "0001_initial",
    sql: `
      CREATE TABLE tokenpair.users (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- order of creation
        id text COLLATE "C" NOT NULL UNIQUE,
        username text NOT NULL,
        username_key text COLLATE "C" UNIQUE, -- NULL: the user is kept in a table of the application
        email text,
        is_active boolean NOT NULL,
        is_staff boolean NOT NULL,
        epoch integer NOT NULL,
        password_hash text,
        created_at bigint NOT NULL,
        last_login_at bigint
      ) WITH (fillfactor = 90);

      -- One row: the highest number that was ever a user's id. Its lock puts those who create users in order.
      CREATE TABLE tokenpair.user_numbers (last bigint NOT NULL);
      INSERT INTO tokenpair.user_numbers (last) VALUES (0);

      CREATE TABLE tokenpair.sessions (
        id text COLLATE "C" PRIMARY KEY,
        user_id text COLLATE "C" NOT NULL, -- no foreign key: an ended session outlives its user
        user_epoch integer NOT NULL,
        generation integer NOT NULL,
        current_hash bytea NOT NULL,
        previous_hash bytea,
        salt bytea,
        attempt_hash bytea,
        rotated_at bigint,
        created_at bigint NOT NULL,
        last_used_at bigint NOT NULL,
        idle_expires_at bigint NOT NULL,
        absolute_expires_at bigint NOT NULL,
        revoked_at bigint,
        revoke_reason text,
        persistent boolean NOT NULL,
        user_agent text,
        ip text,
        label text,
        -- When to look whether the session has expired. A rotation leaves it alone, and so touches no index.
        cleanup_at bigint NOT NULL,
        -- So that a session has expired exactly when its idle time is over.
        CHECK (idle_expires_at <= absolute_expires_at),
        CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL))
      ) WITH (fillfactor = 80); -- room on the page for the next version of a row: rotations are HOT updates
      CREATE INDEX sessions_live_by_user ON tokenpair.sessions (user_id) WHERE revoked_at IS NULL;
      CREATE INDEX sessions_live_by_creation ON tokenpair.sessions (created_at, id) WHERE revoked_at IS NULL;
      CREATE INDEX sessions_by_cleanup ON tokenpair.sessions (cleanup_at);
      CREATE INDEX sessions_by_revocation ON tokenpair.sessions (revoked_at) WHERE revoked_at IS NOT NULL;

      CREATE TABLE tokenpair.revocations (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of writing, which is not that of the commits
        xid xid8 NOT NULL DEFAULT pg_current_xact_id(), -- by which a reader tells what it has not seen
        kind text NOT NULL CHECK (kind IN ('session', 'user', 'token', 'all')),
        key text COLLATE "C", -- id of the session, user or token
        epoch integer, -- of kind 'user'
        at bigint NOT NULL
      );
      CREATE INDEX revocations_by_transaction ON tokenpair.revocations (xid);
      CREATE INDEX revocations_by_time ON tokenpair.revocations (at);
      CREATE INDEX revocations_by_user ON tokenpair.revocations (key) WHERE kind = 'user';
    `,
  },
  {
    number: 2,
    name: "0002_feed_lag",
    sql: `
      -- How long a reader took. Older nodes beside a newer schema leave it to the default.
      ALTER TABLE tokenpair.revocations ADD COLUMN appended_at timestamptz;
      ALTER TABLE tokenpair.revocations ALTER COLUMN appended_at SET DEFAULT clock_timestamp();

      -- To look up one token when a node's memory is too old to answer.
      CREATE INDEX revocations_of_tokens ON tokenpair.revocations (key) WHERE kind = 'token';
      CREATE INDEX revocations_of_all ON tokenpair.revocations (at) WHERE kind = 'all';

      -- Vacuum by a share of the rows that stays small when there are millions: it waits for a fifth of them by default.
      ALTER TABLE tokenpair.sessions SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
        autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000);
      ALTER TABLE tokenpair.revocations SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_insert_scale_factor = 0.1, autovacuum_analyze_scale_factor = 0.05);
    `,
  },
  {
    number: 3,
    name: "0003_login_failures",
    sql: `
      CREATE TABLE tokenpair.login_failures (
        key text COLLATE "C" PRIMARY KEY, -- what is counted: its kind and a hash
        failures integer NOT NULL,
        last_at bigint NOT NULL,
        expires_at bigint -- NULL: until a success or an unlock
      ) WITH (fillfactor = 80);
      CREATE INDEX login_failures_by_expiry ON tokenpair.login_failures (expires_at) WHERE expires_at IS NOT NULL;
    `,
  },
  {
    number: 4,
    name: "0004_audit",
    sql: `
      CREATE TABLE tokenpair.audit_log (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- the order of writing, which is not that of the commits
        xid xid8 NOT NULL DEFAULT pg_current_xact_id(), -- by which a reader tells what it has not seen
        at bigint NOT NULL,
        type text COLLATE "C" NOT NULL, -- no list of the types: another version may know others
        user_id text COLLATE "C",
        session_id text COLLATE "C",
        ip text,
        user_agent text,
        actor text,
        reason text,
        details text NOT NULL -- JSON of what else the event says
      );
      CREATE INDEX audit_log_by_transaction ON tokenpair.audit_log (xid);
      CREATE INDEX audit_log_by_time ON tokenpair.audit_log (at);
      CREATE INDEX audit_log_by_user ON tokenpair.audit_log (user_id, seq) WHERE user_id IS NOT NULL;
      CREATE INDEX audit_log_by_session ON tokenpair.audit_log (session_id, seq) WHERE session_id IS NOT NULL;
      CREATE INDEX audit_log_of_devices ON tokenpair.audit_log (user_id, hashtextextended(user_agent, 0)) WHERE type = 'login';

      CREATE TABLE tokenpair.webhook_outbox (
        id text COLLATE "C" PRIMARY KEY,
        at bigint NOT NULL, -- when it happened
        body text NOT NULL, -- JSON
        attempts integer NOT NULL DEFAULT 0,
        next_at bigint NOT NULL -- when to try, and until when the node that tries has it for itself
      );
      CREATE INDEX webhook_outbox_by_turn ON tokenpair.webhook_outbox (next_at);
    `,
  },
  {
    number: 5,
    name: "0005_revocation_without_clocks",
    sql: `
      -- One row: what holds for all nodes and all users.
      CREATE TABLE tokenpair.installation (
        singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
        global_epoch bigint NOT NULL DEFAULT 0, -- raised by "revoke all"
        longest_access bigint NOT NULL, -- seconds: the longest accessTokenLifetime that was ever used here
        longest_lease_ms bigint NOT NULL, -- the longest maxStaleness that any node has used
        settled text -- the start of the server in which the registry of nodes is known to be complete
      );
      -- If no user has logged in yet, no node can have an old lease.
      INSERT INTO tokenpair.installation (longest_access, longest_lease_ms, settled)
        SELECT 0, 10000, CASE WHEN NOT EXISTS (SELECT FROM tokenpair.sessions)
          AND NOT EXISTS (SELECT FROM tokenpair.audit_log) AND NOT EXISTS (SELECT FROM tokenpair.users)
          THEN extract(epoch FROM pg_postmaster_start_time())::text END;

      -- The processes that accept access tokens from memory. Logged: a crash of the server must not lose it.
      CREATE TABLE tokenpair.nodes (
        id text COLLATE "C" PRIMARY KEY, -- random, and new for every registration
        name text,
        lease_ms bigint NOT NULL, -- for how long the node accepts tokens after a read
        seen text, -- the snapshot that the node has applied
        incarnation text NOT NULL, -- the start of the server in which the node registered
        leaving boolean NOT NULL DEFAULT false, -- the node will be removed: its reads don't count
        beat bigint NOT NULL DEFAULT 0, -- proves that the server can commit
        clock_ahead_ms bigint, -- by how much the node's clock is ahead
        joined_at bigint NOT NULL
      ) WITH (fillfactor = 20);

      ALTER TABLE tokenpair.revocations
        ADD COLUMN until bigint, -- the latest exp of a token that the entry revokes; NULL: version 0.1 wrote it
        ADD COLUMN except_key text COLLATE "C", -- of kind 'user': the session that stays
        ADD COLUMN confirm boolean NOT NULL DEFAULT false, -- a caller waits until every node has it
        ADD COLUMN reason smallint;
      CREATE INDEX revocations_by_until ON tokenpair.revocations (coalesce(until, at + 86400), seq);

      -- Without an index, so that rotations stay HOT updates.
      ALTER TABLE tokenpair.sessions
        ADD COLUMN access_until bigint, -- the latest exp of an access token of the session
        ADD COLUMN least_epoch integer, -- the lowest user epoch that a refresh token may carry; NULL: user_epoch
        ADD COLUMN change_hash bytea; -- hash of the idempotency key of the last password change
      ALTER TABLE tokenpair.users ADD COLUMN epoch_reason text; -- why the epoch was raised last
    `,
  },
  {
    number: 6,
    name: "0006_keys",
    sql: `
      ALTER TABLE tokenpair.installation
        ADD COLUMN keys_version bigint NOT NULL DEFAULT 0, -- raised by every change of a key or a service
        -- Since when refresh tokens are signed by their own key; NULL: nodes of 0.1 may serve. migrate() sets it in a new database.
        ADD COLUMN own_refresh_since bigint;

      CREATE TABLE tokenpair.signing_keys (
        kid text COLLATE "C" PRIMARY KEY, -- of a secret: the kid of its refresh key
        use text COLLATE "C" NOT NULL, -- no list of the uses: another version may know others
        alg text NOT NULL,
        public_jwk text, -- JSON, for operators: it is not sealed, so nothing is verified with it
        private_sealed bytea, -- NULL: the key is in a setting of the nodes, or was deleted
        kek_id text,
        created_at bigint NOT NULL,
        signs_from bigint NOT NULL,
        retire_at bigint,
        retired_at bigint,
        CHECK ((private_sealed IS NULL) = (kek_id IS NULL)),
        CHECK (retired_at IS NULL OR private_sealed IS NULL)
      );

      CREATE TABLE tokenpair.services (
        name text COLLATE "C" PRIMARY KEY,
        scopes text NOT NULL, -- with spaces between them
        credential_hash bytea UNIQUE, -- SHA-256; NULL: revoked
        prefix text NOT NULL, -- the first characters of the credential, for operators
        previous_hash bytea UNIQUE, -- of the credential that was replaced
        previous_until bigint,
        created_at bigint NOT NULL,
        revoked_at bigint,
        CHECK ((credential_hash IS NULL) = (revoked_at IS NOT NULL)),
        CHECK ((previous_hash IS NULL) = (previous_until IS NULL)),
        CHECK (previous_hash IS NULL OR credential_hash IS NOT NULL)
      );

      -- Refresh tokens of another system that were redeemed for a session, or must not be.
      CREATE TABLE tokenpair.legacy_tokens (
        jti text COLLATE "C" PRIMARY KEY,
        session_id text COLLATE "C", -- the session that the token was redeemed for; NULL: the token was revoked
        spent_at bigint NOT NULL,
        expires_at bigint NOT NULL -- of the token; afterwards the row is not needed
      );
      CREATE INDEX legacy_tokens_by_expiry ON tokenpair.legacy_tokens (expires_at);

      -- Whether the user came from another system with this id. Only then are tokens of that system the user's.
      ALTER TABLE tokenpair.users ADD COLUMN imported boolean NOT NULL DEFAULT false;
      -- When all tokens were revoked last: tokens of another system have no global epoch.
      ALTER TABLE tokenpair.installation ADD COLUMN all_revoked_at bigint;
    `,
  },
  {
    number: 7,
    name: "0007_authentication",
    sql: `
      -- Without an index, so that rotations stay HOT updates.
      ALTER TABLE tokenpair.sessions
        ADD COLUMN authenticated_at bigint, -- NULL: created_at; 0: long ago, in another system
        ADD COLUMN amr text, -- RFC 8176 values with spaces between them; NULL: unknown
        ADD COLUMN actor text; -- who acts for the user; NULL: the user

      -- Logins that wait for a second step.
      CREATE TABLE tokenpair.login_tickets (
        hash bytea PRIMARY KEY, -- SHA-256 of the ticket
        user_id text COLLATE "C" NOT NULL,
        user_epoch integer NOT NULL, -- under which the password was verified
        username_key text COLLATE "C" NOT NULL, -- under which failed logins are counted
        methods text NOT NULL, -- how the step can be done, for the client: JSON
        persistent boolean NOT NULL,
        created_at bigint NOT NULL,
        expires_at bigint NOT NULL,
        attempts integer NOT NULL DEFAULT 0, -- how often the step was tried
        used_at bigint,
        session_id text COLLATE "C", -- the session that the ticket was used for
        CHECK ((used_at IS NULL) = (session_id IS NULL))
      );
      CREATE INDEX login_tickets_by_expiry ON tokenpair.login_tickets (expires_at);
    `,
  },
  {
    number: 8,
    name: "0008_console",
    sql: `
      -- Why the actor acted, in the actor's own words.
      ALTER TABLE tokenpair.audit_log ADD COLUMN note text;

      -- viewer, support or admin; NULL: not a member of the staff. Versions before this one read is_staff.
      ALTER TABLE tokenpair.users ADD COLUMN role text COLLATE "C" CHECK (role IN ('viewer', 'support', 'admin'));
      UPDATE tokenpair.users SET role = 'viewer' WHERE is_staff;

      -- The lists of the console. No rotation changes these columns.
      CREATE INDEX sessions_by_creation ON tokenpair.sessions (created_at, id);
      CREATE INDEX sessions_by_user ON tokenpair.sessions (user_id, created_at, id);
      CREATE INDEX users_by_email ON tokenpair.users (lower(email COLLATE "C"), position) WHERE email IS NOT NULL;
      CREATE INDEX users_with_role ON tokenpair.users (position) WHERE role IS NOT NULL;
      CREATE INDEX users_inactive ON tokenpair.users (position) WHERE NOT is_active;
      DROP INDEX tokenpair.audit_log_by_time;
      CREATE INDEX audit_log_by_time ON tokenpair.audit_log (at, seq);
      CREATE INDEX audit_log_of_actors ON tokenpair.audit_log (at, seq) WHERE actor IS NOT NULL;
      CREATE INDEX audit_log_of_alarms ON tokenpair.audit_log (at, seq)
        WHERE type IN ('throttled', 'webhook_failed', 'store_unwritable', 'new_device');
      CREATE INDEX audit_log_of_reuse ON tokenpair.audit_log (at, seq) WHERE reason = 'reuse';

      -- What the nodes last said about themselves, while the console is on. Unlike the table nodes, nothing depends on it.
      CREATE TABLE tokenpair.node_reports (
        id text COLLATE "C" PRIMARY KEY,
        reported_at bigint NOT NULL,
        body text NOT NULL -- JSON
      );
    `,
  },
];
