import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import { postgresStore } from "../../../src/store/postgres/index.ts";
import { type PostgresServer, startPostgres, startStandby } from "../../support/postgres.ts";
import { addSession, addUser, rotationOf } from "../contract/records.ts";

let primary: PostgresServer;
let standby: PostgresServer;
beforeAll(async () => {
  primary = await startPostgres({ max_wal_senders: "4" });
  const store = postgresStore(primary.url);
  await store.migrate();
  await addSession(store, "s", await addUser(store, "alice"), { idleLifetime: 3_600, absoluteLifetime: 3_600 });
  await store.close();
  standby = await startStandby(primary);
});
afterAll(async () => {
  await standby.stop();
  await primary.stop();
});

describe("a PostgreSQL store that was led to a standby", () => {
  it("answers nothing that a standby could be wrong about, and changes nothing", async () => {
    const store = postgresStore(standby.url);
    const token = { sessionId: "s", userId: "1", userEpoch: 0, tokenId: "t", issuedAt: 0 };
    await expect(store.feed.read({ after: null, horizon: 60 })).rejects.toThrow("the server is a standby");
    await expect(store.feed.isRevoked(token)).rejects.toThrow("the server is a standby");
    const writes: readonly (() => Promise<unknown>)[] = [
      () => store.sessions.rotate(rotationOf("s", 0)),
      () => store.sessions.revoke("s", "logout"),
      () => store.users.disable("1"),
    ];
    for (const write of writes) {
      await expect(write()).rejects.toBeInstanceOf(StoreUnavailableError);
    }
    expect(await store.inspect()).toMatchObject({ isStandby: true });
    await store.close();
  });
});
