import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { type Pair, post, postRefresh, toPair, verifyAccess } from "../support/wire.ts";
import { type Cluster, createCluster } from "./cluster.ts";
import { type Release, unpackVersion01 } from "./version-0-1.ts";

const alice = { username: "alice", password: "correct horse battery staple" };

const settings = { TOKENPAIR_ISSUER: "https://id.example", TOKENPAIR_AUDIENCE: "api" };

const logIn = async ({ url }: ServerProcess): Promise<Pair> => toPair(await post(`${url}/api/token/`, alice));
const refresh = async ({ url }: ServerProcess, pair: Pair): Promise<Pair> =>
  toPair(await postRefresh(url, pair.refresh));

function decode(token: string, part: 0 | 1): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split(".")[part] ?? "", "base64url").toString());
}
const kidOf = (token: string) => decode(token, 0)["kid"];

let release: Release;
beforeAll(async () => {
  release = await unpackVersion01();
});
afterAll(() => release.remove());

describe.each(["SQLite", "PostgreSQL"])(
  "the keys of this version beside version 0.1, on one %s database",
  (database) => {
    let postgres: PostgresServer | null = null;
    let cluster: Cluster;
    let old: ServerProcess;
    let today: ServerProcess;

    beforeAll(async () => {
      if (database === "PostgreSQL") postgres = await startPostgres();
      cluster = createCluster({ release, postgresUrl: postgres?.url, env: settings });
      await cluster.run("0.1", ["migrate"]);
      await cluster.run("0.1", ["users", "create", alice.username, "--password-stdin"], `${alice.password}\n`);
      old = await cluster.start("0.1");
      today = await cluster.start("today");
    });
    afterAll(async () => {
      await cluster.close();
      await postgres?.stop();
    });

    it("sign refresh tokens as that version until they get their own key, and then no user of this version is logged out", async () => {
      const early = await logIn(old);
      const mixed = await logIn(today);
      expect(kidOf(mixed.refresh)).toBe(kidOf(early.refresh));
      expect(decode(mixed.refresh, 1)).toMatchObject({
        iss: settings.TOKENPAIR_ISSUER,
        aud: settings.TOKENPAIR_AUDIENCE,
      });
      // Both versions accept what the other one has made, again and again.
      const next = await refresh(today, await refresh(old, await refresh(today, await refresh(old, mixed))));
      expect([await verifyAccess(old.url, next.access), await verifyAccess(today.url, next.access)]).toEqual([
        200, 200,
      ]);

      expect(await cluster.run("today", ["keys", "list"])).toContain("run `tokenpair keys adopt`");
      expect(await cluster.run("today", ["keys", "adopt"])).toBe(
        "Refresh tokens have their own key from now on. Nodes of version 0.1 refuse them.\n",
      );
      await expect.poll(async () => kidOf((await logIn(today)).refresh), { timeout: 60_000 }).toBe("r1");
      const adopted = await refresh(today, next);
      expect(kidOf(adopted.refresh)).toBe("r1");
      expect(decode(adopted.refresh, 1)).not.toHaveProperty("iss");
      expect(await postRefresh(old.url, adopted.refresh)).toMatchObject({ status: 401 });
      // Nothing has happened to the session, and what version 0.1 makes is still accepted.
      expect(kidOf((await refresh(today, adopted)).refresh)).toBe("r1");
      expect(kidOf((await refresh(today, early)).refresh)).toBe("r1");
      expect(await verifyAccess(old.url, (await logIn(today)).access)).toBe(200);
    });

    it("move on to a private key when that version is gone, and no user is logged out", async () => {
      const early = await logIn(old);
      const pem = await cluster.run("today", ["keys", "generate"]);
      const secret = cluster.signingKey;
      const moved = await cluster.start("today", { TOKENPAIR_SIGNING_KEY: pem, TOKENPAIR_SECRET: secret });
      expect(await verifyAccess(moved.url, early.access)).toBe(200);
      const next = await refresh(moved, early);
      expect([decode(next.access, 0)["alg"], kidOf(next.refresh)]).toEqual(["ES256", "r1"]);
      expect(await verifyAccess(moved.url, next.access)).toBe(200);
      // Nodes with the former setting still serve the session.
      expect(decode((await refresh(today, next)).access, 0)["alg"]).toBe("HS256");
    });
  },
);
