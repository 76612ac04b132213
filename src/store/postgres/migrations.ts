import type { Migration } from "../migrations.ts";

/**
 * The schema of the PostgreSQL store, step by step. All times are whole seconds since the epoch. Texts by which rows are
 * found compare byte by byte, so that no index depends on the collations of the operating system.
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
];
