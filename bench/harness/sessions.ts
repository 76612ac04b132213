import { createHash } from "node:crypto";
import pg from "pg";
import type { Store } from "../../src/core/store/index.ts";
import type { NewSession, Rotation } from "../../src/core/store/sessions.ts";
import { postgresStore } from "../../src/store/postgres/index.ts";

/** What a browser says of itself, at a usual length. */
const userAgent =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
const day = 86_400;

/** A database with a crowd: users `1` to `users`, and `sessions` sessions of theirs, each as after a first refresh. */
export interface Crowd {
  readonly store: Store;
  readonly admin: pg.Client;
  readonly schema: string;
  readonly sessions: number;
  /** Rotates session `i` once, by the store, as a refresh does. */
  rotate(i: number): Promise<void>;
  /** Rotates every session once, in batches of SQL with the SET clause of a refresh, each from all over the table. */
  rotateAll(): Promise<void>;
  close(): Promise<void>;
}

/** Session `i`: an UUIDv7 of its own millisecond, so that the ids rise. */
export const toSessionId = (i: number): string => {
  const hex = (1_750_000_000_000 + i).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${i.toString(16).padStart(12, "0")}`;
};

const toHash = (sessionId: string, generation: number): Uint8Array =>
  createHash("sha256").update(`${sessionId}:${generation}`).digest();

/** A login of user `userId` with session `i`. */
export function toNewSession(i: number, userId: string): NewSession {
  const id = toSessionId(i);
  const lifetimes = { idleLifetime: 30 * day, absoluteLifetime: 365 * day, accessLifetime: 1_800, maxSessions: 100 };
  const row = { userEpoch: 0, persistent: true, userAgent, ip: "203.0.113.77", updateLastLogin: false };
  return { id, userId, currentHash: toHash(id, 0), ...lifetimes, ...row };
}

function toRotation(sessionId: string, userId: string, generation: number): Rotation {
  return {
    sessionId,
    userId,
    userEpoch: 0,
    generation,
    presentedHash: toHash(sessionId, generation),
    nextHash: toHash(sessionId, generation + 1),
    salt: new Uint8Array(16).fill(generation),
    idempotencyHash: toHash(sessionId, -generation),
    idleLifetime: 30 * day,
    accessLifetime: 1_800,
    userAgent,
    ip: "203.0.113.77",
  };
}

const toIdSql = (i: string) => `substr(lpad(to_hex(1750000000000 + ${i}), 12, '0'), 1, 8) || '-' ||
  substr(lpad(to_hex(1750000000000 + ${i}), 12, '0'), 9) || '-7000-8000-' || lpad(to_hex(${i}), 12, '0')`;
const toHashSql = (generation: string) => `sha256((id || ':' || ${generation})::bytea)`;

/** Makes the crowd, in a schema of its own. */
export async function createCrowd(url: string, schema: string, sessions: number, users: number): Promise<Crowd> {
  const store = postgresStore({ connectionString: url, schema });
  await store.migrate();
  const admin = new pg.Client(url);
  await admin.connect();
  await admin.query(
    `INSERT INTO ${schema}.users (id, username, username_key, email, is_active, is_staff, epoch, password_hash, created_at)
    SELECT i, 'user-' || i, 'user-' || i, 'user-' || i || '@example.com', true, false, 0,
      '$argon2id$v=19$m=19456,t=2,p=1$' || encode(substr(sha256(i::text::bytea), 1, 16), 'base64') || '$' ||
      encode(sha256(i::text::bytea), 'base64'), 1750000000
    FROM generate_series(1, $1::bigint) AS i`,
    [users],
  );
  const now = "floor(extract(epoch FROM now()))::bigint";
  await admin.query(
    `INSERT INTO ${schema}.sessions (id, user_id, user_epoch, generation, current_hash, previous_hash, salt, attempt_hash,
      rotated_at, created_at, last_used_at, idle_expires_at, absolute_expires_at, persistent, user_agent, ip, cleanup_at)
    SELECT id, 1 + i % $2::bigint, 0, 1, ${toHashSql("1")}, ${toHashSql("0")}, substr(sha256('salt'), 1, 16),
      ${toHashSql("-1")}, ${now}, ${now}, ${now}, ${now} + 30 * ${day}, ${now} + 365 * ${day}, true, $3, '203.0.113.77',
      ${now} + 30 * ${day} - i / 10 -- ten logins a second
    FROM (SELECT i, ${toIdSql("i")} AS id FROM generate_series(0, $1::bigint - 1) AS i) AS given`,
    [sessions, users, userAgent],
  );
  await admin.query(`VACUUM (ANALYZE) ${schema}.sessions, ${schema}.users`);
  const generations = new Int32Array(sessions).fill(1);

  return {
    store,
    admin,
    schema,
    sessions,
    async rotate(i) {
      const generation = generations[i] as number;
      generations[i] = generation + 1;
      const rotated = await store.sessions.rotate(toRotation(toSessionId(i), `${1 + (i % users)}`, generation));
      if (rotated === null) throw new Error(`session ${i} was not rotated`);
    },
    async rotateAll() {
      // Two in a hundred rows at a time, from all over the table.
      const batches = 50;
      for (let batch = 0; batch < batches; batch++) {
        await admin.query(
          `UPDATE ${schema}.sessions SET generation = generation + 1, previous_hash = current_hash,
            current_hash = ${toHashSql("(generation + 1)")}, attempt_hash = ${toHashSql("(- generation)")},
            rotated_at = ${now}, last_used_at = ${now}, idle_expires_at = least(${now} + 30 * ${day}, absolute_expires_at)
          WHERE id = ANY (SELECT ${toIdSql("i")} FROM generate_series($1::bigint, $2::bigint - 1, $3::bigint) AS i)`,
          [batch, sessions, batches],
        );
      }
      for (let i = 0; i < sessions; i++) generations[i] = (generations[i] as number) + 1;
    },
    async close() {
      await admin.end();
      await store.close();
    },
  };
}

/** Calls `work` for every one of `numbers`, `concurrency` at a time. */
export async function inParallel(
  numbers: readonly number[],
  concurrency: number,
  work: (i: number) => Promise<unknown>,
): Promise<void> {
  const queue = numbers.values();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (const i of queue) await work(i);
    }),
  );
}

/** `count` different numbers below `below`, in no order. */
export function pickDistinct(count: number, below: number): readonly number[] {
  const picked = new Set<number>();
  while (picked.size < count) picked.add(Math.floor(Math.random() * below));
  return [...picked];
}
