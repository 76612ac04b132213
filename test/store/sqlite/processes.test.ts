import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Revocation } from "../../../src/core/revocation.ts";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";
import { migrations } from "../../../src/store/sqlite/schema/migrations.ts";
import { addSession, addUser, rotationOf } from "../contract/records.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tokenpair-"));
  path = join(folder, "tokenpair.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Starts `store-process.ts` and waits until it is ready; `run` lets it go and returns what it printed. */
async function startProcess(command: string, count = 0) {
  const script = fileURLToPath(new URL("store-process.ts", import.meta.url));
  const child = spawn(process.execPath, [script, command, path, String(count)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe("ready");
  return {
    async run(): Promise<unknown> {
      child.stdin.write("go\n");
      return JSON.parse((await lines.next()).value ?? "null");
    },
    async kill() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** A migrated store with one live session "s". */
async function createStoreWithSession() {
  const store = sqliteStore(path);
  await store.migrate();
  await addSession(store, "s", await addUser(store, "alice"), { idleLifetime: 3_600, absoluteLifetime: 3_600 });
  return store;
}

describe("several processes on one SQLite file", () => {
  it("that migrate a new file at once apply each step once", async () => {
    const processes = await Promise.all([startProcess("migrate"), startProcess("migrate"), startProcess("migrate")]);
    const applied = await Promise.all(processes.map((process) => process.run()));
    expect(applied.flat()).toEqual(migrations.map(({ name }) => name));
    const store = sqliteStore(path);
    await store.checkSchema();
    await store.close();
  });

  it("wait for one another while the file is being made", async () => {
    const other = await startProcess("lockBriefly");
    await other.run();
    const store = sqliteStore(path);
    expect(await store.migrate()).toEqual(migrations.map(({ name }) => name));
    await store.close();
  });

  it("that rotate one session have exactly one winner for each generation", async () => {
    const store = await createStoreWithSession();
    const processes = await Promise.all([startProcess("rotate", 200), startProcess("rotate", 200)]);
    const made = (await Promise.all(processes.map((process) => process.run()))) as [number[], number[]];
    const generations = made.flat().sort((a, b) => a - b);
    expect(generations).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    expect((await store.sessions.find("s"))?.session.generation).toBe(200);
    await store.close();
  });

  it("read each revocation of another once and in order, while it writes", async () => {
    const store = await createStoreWithSession();
    const writer = await startProcess("revokeTokens", 300);
    let isWriting = true;
    const written = writer.run().finally(() => {
      isWriting = false;
    });

    const seen: Revocation[] = [];
    let { cursor } = await store.feed.read({ after: null, horizon: 60 });
    let batches = 0;
    const readOn = async () => {
      const batch = await store.feed.read({ after: cursor, horizon: 60 });
      seen.push(...batch.revocations);
      cursor = batch.cursor;
      if (batch.revocations.length > 0) batches += 1;
    };
    while (isWriting) {
      await readOn();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await written;
    await readOn();

    expect(seen.map((entry) => entry.kind === "token" && entry.tokenId)).toEqual(
      Array.from({ length: 300 }, (_, i) => String(i)),
    );
    expect(batches).toBeGreaterThan(1);
    await store.close();
  });

  it("keep a revocation that was answered, though the process that made it is killed", async () => {
    await (await createStoreWithSession()).close();
    const child = await startProcess("revokeAndHang");
    expect(await child.run()).toBe(1);
    await child.kill();

    const store = sqliteStore(path);
    expect((await store.sessions.find("s"))?.session.revokeReason).toBe("logout");
    expect((await store.feed.read({ after: null, horizon: 3_600 })).revocations).toHaveLength(1);
    expect(await store.sessions.rotate(rotationOf("s", 0))).toBeNull();
    await store.close();
  });
});
