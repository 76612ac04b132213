/**
 * What an installation needs for each user, session and revocation: bytes on the disk, bytes of write-ahead log, bytes in a
 * node's memory, bytes between database and node. The figures of docs/scaling.md.
 *
 * Sizes and bytes do not depend on how busy the machine is, so everything is measured once.
 */

import type { Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import pg from "pg";
import { systemClock } from "../src/core/runtime/clock.ts";
import { toAuditRow } from "../src/events/audit-row.ts";
import { createRevocationIndex } from "../src/revocation/revocation-index.ts";
import { postgresStore } from "../src/store/postgres/index.ts";
import { startPostgres } from "../test/support/postgres.ts";
import type { Harness } from "./harness/harness.ts";
import { type Crowd, createCrowd, inParallel, pickDistinct, toNewSession, toSessionId } from "./harness/sessions.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const toBytes = (value: number): string => Math.round(value).toLocaleString("en");

export async function run(harness: Harness): Promise<void> {
  reportMemory(harness);
  const sessions = harness.quick ? 20_000 : 200_000;
  // No checkpoint but ours, so that we know when pages are logged whole.
  const postgres = await startPostgres({ checkpoint_timeout: "1h", max_wal_size: "16GB", autovacuum: "off" });
  try {
    const crowd = await createCrowd(postgres.url, "footprint", sessions, sessions / 2);
    await reportDisk(harness, crowd);
    await reportLog(harness, crowd);
    await crowd.close();
    await reportWire(harness, postgres.url);
  } finally {
    await postgres.stop();
  }
}

/** Each user and each session as after its first refresh, after a vacuum. */
async function reportDisk(harness: Harness, { admin, schema, sessions }: Crowd): Promise<void> {
  const rows: string[][] = [];
  for (const [table, count] of [
    ["sessions", sessions],
    ["users", sessions / 2],
  ] as const) {
    const { rows: indexes } = await admin.query(
      `SELECT relname, pg_relation_size(oid)::float8 AS bytes FROM pg_class
      WHERE oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = $1::regclass) ORDER BY relname`,
      [`${schema}.${table}`],
    );
    const { rows: sizes } = await admin.query(
      "SELECT pg_table_size($1::regclass)::float8 AS own, pg_total_relation_size($1::regclass)::float8 AS total",
      [`${schema}.${table}`],
    );
    rows.push([`${table}, with indexes`, toBytes(sizes[0].total / count)]);
    rows.push(["· table", toBytes(sizes[0].own / count)]);
    for (const { relname, bytes } of indexes) rows.push([`· ${relname}`, toBytes(bytes / count)]);
  }
  harness.table(`On the disk, of ${sessions.toLocaleString("en")} sessions`, ["", "bytes for each"], rows);
}

/** The write-ahead log of each kind of change: of pages that a checkpoint has just come for, and of pages that follow. */
async function reportLog(harness: Harness, crowd: Crowd): Promise<void> {
  const { store, admin, sessions } = crowd;
  const count = harness.quick ? 500 : 5_000;
  const chosen = pickDistinct(count, sessions);
  let next = sessions;
  const logIn = async () => {
    const login = toNewSession(next++, String(1 + Math.floor(Math.random() * (sessions / 2))));
    const { userId, id: sessionId, userAgent, ip } = login;
    const client = { ip: ip ?? undefined, userAgent: userAgent ?? undefined };
    const event = { type: "login", time: systemClock.now(), userId, sessionId, client } as const;
    const { outcome } = await store.sessions.create(login, () => [{ row: toAuditRow(event), delivery: null }]);
    if (outcome !== "created") throw new Error(`the login was ${outcome}`);
  };
  const kinds: [string, (i: number) => Promise<unknown>][] = [
    ["login", logIn],
    ["refresh", (i) => crowd.rotate(i)],
  ];
  const measure = async (work: (i: number) => Promise<unknown>) => {
    const start = await readPosition(admin);
    await inParallel(chosen, 4, work);
    return toBytes(((await readPosition(admin)) - start) / count);
  };
  const rows: string[][] = [];
  for (const [name, work] of kinds) {
    await admin.query("CHECKPOINT");
    rows.push([name, await measure(work), await measure(work)]);
  }
  // Each session ends once: others of the same pages follow.
  await admin.query("CHECKPOINT");
  const end = (offset: number) => (i: number) => {
    const sessionId = toSessionId((i + offset) % sessions);
    const subject = { userId: "1", sessionId, reason: "logout", sessions: 1, client: { ip: "203.0.113.77" } } as const;
    const event = { type: "sessions_revoked", time: systemClock.now(), ...subject } as const;
    return store.sessions.revoke(sessionId, "logout", { audit: () => [{ row: toAuditRow(event), delivery: null }] });
  };
  rows.push(["logout", await measure(end(0)), await measure(end(1))]);
  harness.table(
    `Write-ahead log, of ${count.toLocaleString("en")} changes at random among ${sessions.toLocaleString("en")} sessions`,
    ["", "bytes after a checkpoint", "bytes from then on"],
    rows,
  );
  const { rows: log } = await admin.query(
    `SELECT pg_total_relation_size('${crowd.schema}.audit_log')::float8 / count(*) AS bytes FROM ${crowd.schema}.audit_log`,
  );
  harness.note(
    `Logins and logouts with their entries in the audit log, ${toBytes(log[0].bytes)} bytes each on the disk.`,
  );
}

async function readPosition(admin: pg.Client): Promise<number> {
  const { rows } = await admin.query("SELECT (pg_current_wal_insert_lsn() - '0/0')::float8 AS bytes");
  return rows[0].bytes;
}

/** What reading the feed costs on the wire. */
async function reportWire(harness: Harness, url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const sockets: Socket[] = [];
  pool.on(
    "connect",
    (client) => void sockets.push((client as unknown as { connection: { stream: Socket } }).connection.stream),
  );
  const store = postgresStore({ pool, schema: "wire" });
  await store.migrate();
  const options = { since: 0, nodeId: null, beat: false, timeout: null };
  let { cursor } = await store.feed.read({ ...options, after: null });
  const read = async () => {
    const [socket] = sockets as [Socket];
    const [received, sent] = [socket.bytesRead, socket.bytesWritten];
    ({ cursor } = await store.feed.read({ ...options, after: cursor }));
    return { received: socket.bytesRead - received, sent: socket.bytesWritten - sent };
  };
  // The first sends the statement to be prepared.
  await read();
  const empty = await read();
  const entries = 5_000;
  await pool.query(
    `INSERT INTO wire.revocations (kind, key, at) SELECT 'session', '0190a3c1-2b3d-7e4f-8a5b-' || lpad(to_hex(i), 12, '0'),
      extract(epoch FROM now()) FROM generate_series(1, $1::integer) AS i`,
    [entries],
  );
  const full = await read();
  const size = await pool.query("SELECT pg_total_relation_size('wire.revocations')::float8 AS bytes");
  await store.close();
  await pool.end();
  harness.table(
    "The feed",
    ["", "bytes"],
    [
      ["a poll that finds nothing, there and back", toBytes(empty.sent + empty.received)],
      ["an entry, on its way to one node", toBytes((full.received - empty.received) / entries)],
      ["an entry, on the disk, with its indexes", toBytes(size.rows[0].bytes / entries)],
    ],
  );
}

/** The typed arrays of the index, which are all that grows. */
function reportMemory(harness: Harness): void {
  const rows = [100_000, 1_000_000].map((entries) => {
    const index = createRevocationIndex({ leeway: 0, clock: systemClock });
    const before = readArrayBytes();
    const at = systemClock.now();
    for (let i = 0; i < entries; i++) index.apply({ kind: "session", sessionId: toSessionId(i), at });
    const held = readArrayBytes() - before;
    return [`${entries.toLocaleString("en")} (${index.size.toLocaleString("en")} held)`, (held / entries).toFixed(1)];
  });
  harness.table("A node's memory, of live revocations", ["", "bytes for each"], rows);
}

function readArrayBytes(): number {
  // The first finds the arrays, the second waits until their memory has been given back.
  for (const _ of [1, 2]) collectGarbage();
  return process.memoryUsage().arrayBuffers;
}
