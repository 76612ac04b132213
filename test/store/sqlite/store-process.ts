// A process that shares a database file with a test: `store-process.ts COMMAND PATH [COUNT]`. It says "ready", waits for
// a line on its standard input, carries out the command, and prints what came of it as one line of JSON.
import { once } from "node:events";
import { DatabaseSync } from "node:sqlite";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";
import { rotationOf, toHash } from "../contract/records.ts";

const [, , command, path = "", count = "0"] = process.argv;

async function migrate() {
  const store = sqliteStore(path);
  return store.migrate();
}

/** Rotates the session "s" up to generation `count`, against whoever else does, and returns the generations it made. */
async function rotate() {
  const store = sqliteStore(path);
  const made: number[] = [];
  for (;;) {
    const session = (await store.sessions.find("s"))?.session;
    if (session === undefined || session.generation >= Number(count)) return made;
    const { generation, currentHash: presentedHash } = session;
    const nextHash = toHash(process.pid * 1_000 + generation);
    const rotated = await store.sessions.rotate(rotationOf("s", generation, { presentedHash, nextHash }));
    if (rotated !== null) made.push(rotated.session.generation);
  }
}

async function revokeTokens() {
  const store = sqliteStore(path);
  for (let i = 0; i < Number(count); i++) await store.feed.revokeToken(String(i));
  return Number(count);
}

/** Revokes the session "s" and says so, but never ends. */
async function revokeAndHang() {
  const ended = await sqliteStore(path).sessions.revoke("s", "logout");
  setInterval(() => {}, 1_000);
  return ended.sessions;
}

/** Holds a write lock on a file that has no write-ahead log yet, as a process does that is just making one. */
async function lockBriefly() {
  const database = new DatabaseSync(path);
  database.exec("BEGIN IMMEDIATE");
  setTimeout(() => database.close(), 100);
}

const commands: Record<string, () => Promise<unknown>> = { migrate, rotate, revokeTokens, revokeAndHang, lockBriefly };

console.log("ready");
await once(process.stdin, "data");
process.stdin.destroy();
console.log(JSON.stringify((await commands[command ?? ""]?.()) ?? null));
