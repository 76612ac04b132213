import { renameSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";
import { readAfter } from "../contract/records.ts";
import { provideDatabaseFile } from "./database-file.ts";

const file = provideDatabaseFile();
const node = (id: string) => ({ id, name: null, lease: 1_000, accessTokenLifetime: 300 });

describe("the registry of a SQLite store", () => {
  it("believes nothing of a file that was replaced", async () => {
    const store = await file.openMigrated();
    await store.nodes.register(node("a"));
    renameSync(file.path, `${file.path}.old`);
    const other = await file.openMigrated();
    await expect(store.feed.read(readAfter(null, { nodeId: "a" }))).rejects.toThrow(/replaced/);
    await expect(store.nodes.readRegistry()).rejects.toThrow(/replaced/);
    expect((await other.nodes.readRegistry()).nodes).toEqual([]);
    await Promise.all([store.close(), other.close()]);
  });

  it("names the history of a file the same in every process, and no two files' histories", async () => {
    const [store, other] = [await file.openMigrated(), await file.openMigrated()];
    const [memory, another] = [sqliteStore(":memory:"), sqliteStore(":memory:")];
    for (const each of [memory, another]) await each.migrate();
    const stores = [store, other, memory, another];
    const names = await Promise.all(stores.map(async ({ feed }) => (await feed.read(readAfter(null))).place.history));
    expect(names[0]).toBe(names[1]);
    expect(new Set(names).size).toBe(3);
    await Promise.all(stores.map((each) => each.close()));
  });

  it("wakes the subscribers of another process's store on the file once two nodes are registered", async () => {
    const [store, other] = [await file.openMigrated(), await file.openMigrated()];
    await store.nodes.register(node("a"));
    await other.nodes.register(node("b"));
    let stop = () => {};
    const woken = new Promise<void>((resolve) => {
      stop = store.feed.subscribe(() => resolve());
    });
    const { cursor } = await store.feed.read(readAfter(null, { nodeId: "a" }));
    // The watch notices only commits after its first look.
    const again = setInterval(() => void other.feed.revokeToken("t"), 50);
    await woken;
    clearInterval(again);
    stop();
    expect((await store.feed.read(readAfter(cursor))).revocations.length).toBeGreaterThan(0);
    await Promise.all([store.close(), other.close()]);
  });
});
