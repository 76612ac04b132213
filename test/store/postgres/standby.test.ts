import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import type { CommitPosition } from "../../../src/core/revocation.ts";
import { postgresStore } from "../../../src/store/postgres/index.ts";
import { longTimeouts } from "../../support/long-timeouts.ts";
import { type PostgresServer, startStandby } from "../../support/postgres.ts";
import { addSession, addUser, readAfter, rotationOf } from "../contract/records.ts";
import { provideServer } from "./server.ts";

const primary = provideServer({ max_wal_senders: "4" });
let standby: PostgresServer;
let position: CommitPosition;
beforeAll(async () => {
  const store = postgresStore({ connectionString: primary.url, ...longTimeouts });
  await store.migrate();
  await addSession(store, "s", await addUser(store, "alice"), { idleLifetime: 3_600, absoluteLifetime: 3_600 });
  ({ position } = await store.feed.revokeToken("revoked"));
  await store.close();
  standby = await startStandby(primary);
});
afterAll(() => standby.stop());

describe("a PostgreSQL store that is connected to a standby", () => {
  it("refuses to read revocations, keys and services, and fails every change as unavailable", async () => {
    const store = postgresStore({ connectionString: standby.url, ...longTimeouts });
    const token = { sessionId: "s", userId: "1", userEpoch: 0, globalEpoch: 0, tokenId: "t", issuedAt: 0 };
    await expect(store.feed.read(readAfter(null))).rejects.toThrow("the server is a standby: connect to the primary");
    await expect(store.nodes.readRegistry()).rejects.toThrow("the server is a standby: connect to the primary");
    await expect(store.keys.read()).rejects.toThrow("the server is a standby: connect to the primary");
    await expect(store.services.find(new Uint8Array(32))).rejects.toThrow("the server is a standby");
    await expect(store.nodes.hasCommit(position)).rejects.toThrow("the server is a standby: connect to the primary");
    await expect(store.feed.isRevoked(token)).rejects.toThrow("the server is a standby: connect to the primary");
    const writes: readonly (() => Promise<unknown>)[] = [
      () => store.sessions.rotate(rotationOf("s", 0)),
      () => store.sessions.revoke("s", "logout"),
      () => store.users.disable("1"),
      () => store.keys.change(0, {}),
      () => store.services.revoke("shop"),
    ];
    for (const write of writes) {
      await expect(write()).rejects.toBeInstanceOf(StoreUnavailableError);
    }
    expect(await store.inspect()).toMatchObject({ isStandby: true });
    await store.close();
  });
});
