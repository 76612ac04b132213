import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import type { Rotation } from "../../src/core/store/sessions.ts";
import { hashSecret } from "../../src/crypto/secrets.ts";

/** The secret of generation 0 of every session, so that the token of any of them can be made. */
export const firstSecret = new Uint8Array(32).fill(0x5a);

export const signingKey = "a signing key of this benchmark only, of 56 characters..";

const firstHash = hashSecret(firstSecret);
const salt = new Uint8Array(16).fill(0xa5);
const idleLifetime = 30 * 86_400;
/** 2096: nobody waits for that. */
const never = 4_000_000_000;
export const users = 10_000;

export const userAgent =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
export const ip = "203.0.113.77";

export const toSessionId = (n: number): string => `0197a000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`;

/** The id of session `n`, in PostgreSQL. */
export const toSessionIdSql = (n: string): string => `'0197a000-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0')`;

/** The id of the user of session `n`, in PostgreSQL. */
export const toUserIdSql = (n: string): string => `(${n} % ${users} + 1)::text`;

export const toUserId = (n: number): string => `${(n % users) + 1}`;

/** A rotation to the same secret again: what it costs the database is the same, and nobody has to remember the secret. */
export function toRotation(n: number, generation: number): Rotation {
  const hashes = { presentedHash: firstHash, nextHash: firstHash, salt, idempotencyHash: null };
  const presented = { sessionId: toSessionId(n), userId: toUserId(n), userEpoch: 0, generation };
  return { ...presented, ...hashes, idleLifetime, accessLifetime: 1_800, userAgent, ip };
}

const sessionColumns = `id, user_id, user_epoch, generation, current_hash, created_at, last_used_at, idle_expires_at,
  absolute_expires_at, persistent, user_agent, ip, cleanup_at`;
const userColumns = "id, username, username_key, is_active, is_staff, epoch, created_at";

/** Fills the PostgreSQL of `url` with sessions as after a login. */
export async function fillPostgres(url: string, schema: string, sessions: number): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(
    `INSERT INTO ${schema}.users (${userColumns}) SELECT i, 'user-' || i, 'user-' || i, true, false, 0, 0
    FROM generate_series(1, ${users}) AS i`,
  );
  await client.query(
    `INSERT INTO ${schema}.sessions (${sessionColumns})
    SELECT ${toSessionIdSql("i")}, i % ${users} + 1, 0, 0, $1, 0, 0, ${never}, ${never}, true, $2, $3, ${never}
    FROM generate_series(0, ${sessions - 1}) AS i`,
    [firstHash, userAgent, ip],
  );
  await client.query(`VACUUM (ANALYZE) ${schema}.sessions, ${schema}.users`);
  await client.query("CHECKPOINT");
  await client.end();
}

/** Fills the SQLite file at `path` with sessions as after a login. */
export function fillSqlite(path: string, sessions: number): void {
  const database = new DatabaseSync(path);
  const count = (last: number) => `WITH RECURSIVE numbers (i) AS (
    SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < ${last})`;
  database.exec(`INSERT INTO users (${userColumns}) ${count(users - 1)}
    SELECT i + 1, 'user-' || i, 'user-' || i, 1, 0, 0, 0 FROM numbers`);
  const insert = `INSERT INTO sessions (${sessionColumns}) ${count(sessions - 1)}
    SELECT printf('0197a000-0000-7000-8000-%012x', i), i % ${users} + 1, 0, 0, ?, 0, 0, ${never}, ${never}, 1, ?, ?, ${never}
    FROM numbers`;
  database.prepare(insert).run(firstHash, userAgent, ip);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
}
