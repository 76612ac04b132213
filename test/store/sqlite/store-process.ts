// A process that shares a database file with a test: `store-process.ts COMMAND PATH [COUNT]`. It prints "ready". For
// each line on its standard input, it runs the command and prints the result as one line of JSON. It exits when the
// input ends.

import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";
import { newKey, rotationOf, toHash } from "../contract/records.ts";

const [, , command, path = "", count = "0"] = process.argv;

/** Opens the store. A pause of the process that holds the lock must not be a failure of the others. */
const open = () => sqliteStore({ path, busyTimeout: 60_000 });

async function migrate() {
  return open().migrate();
}

/**
 * Rotates the session "s" until generation `count`, in competition with other processes. Returns the generations it
 * made.
 */
async function rotate() {
  const store = open();
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

/**
 * Adds keys until the version of the key ring is `count`, in competition with other processes. Returns the versions it made.
 */
async function addKeys() {
  const store = open();
  const made: number[] = [];
  for (;;) {
    const { version } = await store.keys.read();
    if (version >= Number(count)) return made;
    if (await store.keys.change(version, { add: [newKey(`${version + 1} ${process.pid}`)] })) made.push(version + 1);
  }
}

let revokedTokens = 0;

/** Revokes the next `count` tokens: "0", "1" … */
async function revokeTokens() {
  const store = open();
  for (let i = 0; i < Number(count); i++) await store.feed.revokeToken(String(revokedTokens++));
  await store.close();
  return revokedTokens;
}

/** Revokes the session "s". Returns how many sessions were revoked. */
async function revoke() {
  return (await open().sessions.revoke("s", "logout")).sessions;
}

/** Holds the write lock on a file without a write-ahead log for a moment, as a process that is creating one does. */
async function lockBriefly() {
  const database = new DatabaseSync(path);
  database.exec("BEGIN IMMEDIATE");
  setTimeout(() => database.close(), 100);
}

const commands: Record<string, () => Promise<unknown>> = {
  migrate,
  rotate,
  addKeys,
  revokeTokens,
  revoke,
  lockBriefly,
};

console.log("ready");
for await (const _ of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify((await commands[command ?? ""]?.()) ?? null));
}
