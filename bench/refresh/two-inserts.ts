/**
 * What djangorestframework-simplejwt writes for each refresh, with its blacklist and `ROTATE_REFRESH_TOKENS`: the spent token
 * is blacklisted, the next one is noted with its whole text. As one prepared statement, which is kinder than its ORM.
 */
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { toUserId } from "./crowd.ts";
import type { Refresh } from "./drive.ts";

const tables = (identity: string, time: string) => `
  CREATE TABLE outstanding (id ${identity}, user_id text, jti text NOT NULL UNIQUE, token text NOT NULL,
    created_at ${time} NOT NULL, expires_at ${time} NOT NULL);
  CREATE INDEX outstanding_by_user ON outstanding (user_id);
  CREATE TABLE blacklisted (id ${identity}, token_id bigint NOT NULL UNIQUE REFERENCES outstanding,
    blacklisted_at ${time} NOT NULL);`;

const blacklist = "INSERT INTO blacklisted (token_id, blacklisted_at) SELECT id, $1 FROM outstanding WHERE jti = $2";
const note = "INSERT INTO outstanding (user_id, jti, token, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";

/** As long as a refresh token of ours. */
const token = "x".repeat(440);
const toJti = (n: number, generation: number) =>
  `${generation.toString(16).padStart(16, "0")}${n.toString(16).padStart(16, "0")}`;
const lifetime = 30 * 86_400_000;

/** In PostgreSQL, on 16 connections. */
export async function openInPostgres(url: string, schema: string, sessions: number) {
  const pool = new pg.Pool({ connectionString: url, max: 16, options: `-c search_path=${schema}` });
  pool.on("error", () => {});
  await pool.query(tables("bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "timestamptz"));
  await pool.query(
    `INSERT INTO outstanding (user_id, jti, token, created_at, expires_at)
    SELECT i % 10000 + 1, lpad('', 16, '0') || lpad(to_hex(i), 16, '0'), $1, now(), now() FROM generate_series(0, $2::bigint) AS i`,
    [token, sessions],
  );
  await pool.query("VACUUM (ANALYZE) outstanding");
  const text = `WITH spent AS (${blacklist} RETURNING token_id)
    INSERT INTO outstanding (user_id, jti, token, created_at, expires_at) SELECT $3, $4, $5, $1, $6 FROM spent`;
  const generations = new Map<number, number>();
  const refresh: Refresh = async (n) => {
    const generation = generations.get(n) ?? 0;
    generations.set(n, generation + 1);
    const [now, expiry] = [new Date(), new Date(Date.now() + lifetime)];
    const values = [now, toJti(n, generation), toUserId(n), toJti(n, generation + 1), token, expiry];
    const { rowCount } = await pool.query({ name: "refresh", text, values });
    if (rowCount !== 1) throw new Error(`token ${n} was not refreshed`);
  };
  return { refresh, end: () => pool.end() };
}

/** In a SQLite file of its own, with the same guarantee to be on the disk. */
export function openInSqlite(path: string, sessions: number) {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec(tables("INTEGER PRIMARY KEY", "integer"));
  database.exec(`WITH RECURSIVE numbers (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < ${sessions})
    INSERT INTO outstanding (user_id, jti, token, created_at, expires_at)
    SELECT i % 10000 + 1, printf('%032x', i), '${token}', 0, 0 FROM numbers`);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const [begin, spend, insert, commit] = ["BEGIN IMMEDIATE", toSqlite(blacklist), toSqlite(note), "COMMIT"].map((sql) =>
    database.prepare(sql),
  );
  const generations = new Map<number, number>();
  const refresh: Refresh = (n) => {
    const generation = generations.get(n) ?? 0;
    generations.set(n, generation + 1);
    begin?.run();
    spend?.run(Date.now(), toJti(n, generation));
    insert?.run(toUserId(n), toJti(n, generation + 1), token, Date.now(), Date.now() + lifetime);
    commit?.run();
  };
  return { refresh, end: () => database.close() };
}

const toSqlite = (sql: string): string => sql.replaceAll(/\$\d/g, "?");
