import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import type { Revocation } from "../../../src/core/revocation.ts";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";
import { migrations } from "../../../src/store/sqlite/schema/migrations.ts";
import { addSession, addUser, readAfter, rotationOf } from "../contract/records.ts";
import { provideDatabaseFile } from "./database-file.ts";

const file = provideDatabaseFile();

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/** Starts `store-process.ts` and waits until it is ready. `run` runs its command and returns the result. */
async function startProcess(command: string, count = 0) {
  const script = fileURLToPath(new URL("store-process.ts", import.meta.url));
  const child = spawn(process.execPath, [script, command, file.path, String(count)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe("ready");
  return {
    async run(): Promise<unknown> {
      child.stdin.write("run\n");
      return JSON.parse((await lines.next()).value ?? "null");
    },
    async kill() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

const open = () => sqliteStore({ path: file.path, busyTimeout: 60_000 });

/** Creates a migrated store with one live session "s". */
async function createStoreWithSession() {
  const store = open();
  await store.migrate();
  await addSession(store, "s", await addUser(store, "alice"), { idleLifetime: 3_600, absoluteLifetime: 3_600 });
  return store;
}

describe("processes that share one SQLite file", () => {
  it("apply each migration once if they migrate a new file at once", async () => {
    const processes = await Promise.all([startProcess("migrate"), startProcess("migrate"), startProcess("migrate")]);
    const applied = await Promise.all(processes.map((process) => process.run()));
    expect(applied.flat().sort()).toEqual(migrations.map(({ name }) => name));
    const store = open();
    await store.checkSchema();
    await store.close();
  });

  it("wait for another process that is creating the file", async () => {
    const other = await startProcess("lockBriefly");
    await other.run();
    const store = open();
    expect(await store.migrate()).toEqual(migrations.map(({ name }) => name));
    await store.close();
  });

  it("rotate each generation of a session exactly once", async () => {
    const store = await createStoreWithSession();
    const processes = await Promise.all([startProcess("rotate", 200), startProcess("rotate", 200)]);
    const made = (await Promise.all(processes.map((process) => process.run()))) as [number[], number[]];
    const generations = made.flat().sort((a, b) => a - b);
    expect(generations).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    expect((await store.sessions.find("s"))?.session.generation).toBe(200);
    await store.close();
  });

  it("change each version of the key ring exactly once", async () => {
    const store = await file.openMigrated({ busyTimeout: 60_000 });
    const processes = await Promise.all([startProcess("addKeys", 200), startProcess("addKeys", 200)]);
    const made = (await Promise.all(processes.map((process) => process.run()))) as [number[], number[]];
    const versions = Array.from({ length: 200 }, (_, i) => i + 1);
    expect(made.flat().sort((a, b) => a - b)).toEqual(versions);
    const { version, keys } = await store.keys.read();
    expect(version).toBe(200);
    // The changes of the loser of each version are not there.
    expect(keys.map(({ kid }) => Number.parseInt(kid, 10)).sort((a, b) => a - b)).toEqual(versions);
    await store.close();
  });

  it("read each revocation of a writing process once and in order", async () => {
    const store = await createStoreWithSession();
    const writer = await startProcess("revokeTokens", 150);
    const seen: Revocation[] = [];
    let { cursor } = await store.feed.read(readAfter(null));
    let batches = 0;
    const readMore = async () => {
      const batch = await store.feed.read(readAfter(cursor));
      seen.push(...batch.revocations);
      cursor = batch.cursor;
      if (batch.revocations.length > 0) batches += 1;
    };
    for (const _ of ["first half", "second half"]) {
      let isWriting = true;
      const written = writer.run().finally(() => {
        isWriting = false;
      });
      while (isWriting) {
        await readMore();
        await new Promise((resolve) => setImmediate(resolve));
      }
      await written;
      await readMore();
    }

    expect(seen.map((entry) => entry.kind === "token" && entry.tokenId)).toEqual(
      Array.from({ length: 300 }, (_, i) => String(i)),
    );
    expect(batches).toBeGreaterThan(1);
    await store.close();
  });

  it("keep an acknowledged revocation of a process that is killed", async () => {
    await (await createStoreWithSession()).close();
    const child = await startProcess("revoke");
    expect(await child.run()).toBe(1);
    await child.kill();

    const store = open();
    expect((await store.sessions.find("s"))?.session.revokeReason).toBe("logout");
    expect((await store.feed.read(readAfter(null))).revocations).toHaveLength(1);
    expect(await store.sessions.rotate(rotationOf("s", 0))).toBeNull();
    await store.close();
  });
});
