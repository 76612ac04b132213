import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AuditEntry } from "../../src/core/store/audit.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { type Pair, post, postRefresh, toPair, verifyAccess } from "../support/wire.ts";
import { type Cluster, createCluster, type Version } from "./cluster.ts";
import { type Release, unpackVersion01 } from "./version-0-1.ts";
import { startWebhookReceiver } from "./webhook-receiver.ts";

/** The options of `expect.poll` for a condition that must come true, however busy the machine is. */
const eventually = { timeout: 120_000, interval: 20 };

/** Milliseconds within which a node must know what another one has revoked. */
const revocationBound = 2_000;

const alice = { username: "alice", password: "correct horse battery staple" };

const versions: readonly Version[] = ["0.1", "today"];
const otherVersion = (version: Version): Version => (version === "0.1" ? "today" : "0.1");

const logIn = async (url: string): Promise<Pair> => toPair(await post(`${url}/api/token/`, alice));
const refresh = async (url: string, pair: Pair): Promise<Pair> => toPair(await postRefresh(url, pair.refresh));
const logOut = async (url: string, pair: Pair) =>
  expect(await post(`${url}/api/token/blacklist/`, { refresh: pair.refresh })).toMatchObject({ status: 200 });
const expectRefused = async (url: string, pair: Pair) =>
  expect(await postRefresh(url, pair.refresh)).toMatchObject({ status: 401, body: { code: "token_not_valid" } });

function toPayload(token: string) {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

const toSessionId = ({ refresh: token }: Pair): string => toPayload(token).sid;

/** Presents a token to a node after the other one has refreshed it twice. Returns the session's newest pair. */
async function reuse(detector: string, other: string): Promise<Pair> {
  const spent = await logIn(detector);
  const newest = await refresh(other, await refresh(other, spent));
  await expectRefused(detector, spent);
  return newest;
}

let release: Release;
let postgres: PostgresServer;
beforeAll(async () => {
  [release, postgres] = await Promise.all([unpackVersion01(), startPostgres()]);
});
afterAll(async () => {
  release.remove();
  await postgres.stop();
});

const databases = ["SQLite", "PostgreSQL"] as const;
type Database = (typeof databases)[number];

/** Creates a cluster whose database 0.1 has migrated and in which it has created alice. */
async function createMigratedCluster(database: Database, env: Readonly<Record<string, string>> = {}): Promise<Cluster> {
  const cluster = createCluster({ release, postgresUrl: database === "PostgreSQL" ? postgres.url : undefined, env });
  await cluster.run("0.1", ["migrate"]);
  await cluster.run("0.1", ["users", "create", alice.username, "--password-stdin"], `${alice.password}\n`);
  return cluster;
}

describe.each(databases)("tokenpair 0.1 and this version on one %s database", (database) => {
  let cluster: Cluster;
  let nodes: Readonly<Record<Version, ServerProcess>>;
  /** A session that 0.1 began before this version was started. */
  let early: Pair;

  beforeAll(async () => {
    cluster = await createMigratedCluster(database);
    const old = await cluster.start("0.1");
    early = await logIn(old.url);
    nodes = { "0.1": old, today: await cluster.start("today") };
  });
  afterAll(() => cluster.close());

  const toUrl = (version: Version) => nodes[version].url;

  it("refresh each other's sessions", async () => {
    const begunBefore = await refresh(toUrl("0.1"), await refresh(toUrl("today"), early));
    const begunToday = await refresh(toUrl("today"), await refresh(toUrl("0.1"), await logIn(toUrl("today"))));
    for (const version of versions) {
      for (const { access } of [begunBefore, begunToday]) expect(await verifyAccess(toUrl(version), access)).toBe(200);
    }
  });

  it("say of a session that 0.1 began that its user was authenticated at the login", async () => {
    const pair = await logIn(toUrl("0.1"));
    const { iat } = toPayload(pair.access);
    const refreshed = await refresh(toUrl("today"), await refresh(toUrl("0.1"), pair));
    expect(toPayload(refreshed.access)).toMatchObject({ auth_time: iat });
    // A node of 0.1 doesn't know the claims, and keeps them in the row.
    const begunToday = toPayload((await logIn(toUrl("today"))).access);
    expect(begunToday).toMatchObject({ amr: ["pwd"] });
    const there = await refresh(toUrl("0.1"), await logIn(toUrl("today")));
    expect(toPayload(there.access)).not.toHaveProperty("amr");
    expect(toPayload((await refresh(toUrl("today"), there)).access)).toMatchObject({ amr: ["pwd"] });
  });

  it.each(versions)("refuse a session within two seconds after a logout on %s", async (version) => {
    const [here, there] = [toUrl(version), toUrl(otherVersion(version))];
    let fastest = Number.POSITIVE_INFINITY;
    // One fast attempt shows that it isn't the other node that is slow, but the machine.
    for (let attempt = 0; attempt < 5 && fastest > revocationBound; attempt += 1) {
      const pair = await logIn(here);
      expect(await verifyAccess(there, pair.access)).toBe(200);
      await logOut(here, pair);
      const start = performance.now();
      await expect.poll(() => verifyAccess(there, pair.access), eventually).toBe(401);
      fastest = Math.min(fastest, performance.now() - start);
      await expectRefused(there, pair);
    }
    expect(fastest).toBeLessThanOrEqual(revocationBound);
  });

  it.each(versions)("both revoke a session whose reuse %s has detected", async (version) => {
    const newest = await reuse(toUrl(version), toUrl(otherVersion(version)));
    for (const each of versions) {
      await expectRefused(toUrl(each), newest);
      await expect.poll(() => verifyAccess(toUrl(each), newest.access), eventually).toBe(401);
    }
  });

  it("have one audit log, which this version reads under the names of today", async () => {
    const reused: string[] = [];
    const loggedOut: string[] = [];
    for (const version of versions) {
      reused.push(toSessionId(await reuse(toUrl(version), toUrl(otherVersion(version)))));
      const pair = await logIn(toUrl(version));
      await logOut(toUrl(version), pair);
      loggedOut.push(toSessionId(pair));
    }

    const auth = cluster.openAuth();
    const detected = await auth.audit.list({ type: "refresh", outcome: "reuse_detected", limit: 1_000 });
    expect(detected.entries.map(({ sessionId }) => sessionId)).toEqual(expect.arrayContaining(reused));
    expect(new Set(detected.entries.map(({ details }) => details["outcome"]))).toEqual(new Set(["reuse_detected"]));

    const revoked = parseLines(
      await cluster.run("today", ["audit", "--type", "sessions_revoked", "--limit", "1000", "--json"]),
    );
    expect(revoked.map((entry) => entry["session_id"])).toEqual(expect.arrayContaining([...reused, ...loggedOut]));
    expect(new Set(revoked.map(({ type }) => type))).toEqual(new Set(["sessions_revoked"]));

    // A command of 0.1 is a process that starts, and refuses a database that is newer than itself.
    await expect(cluster.run("0.1", ["audit", "--json"])).rejects.toThrow("upgrade tokenpair");
  });

  it("both keep serving after this version has applied its migrations", async () => {
    expect(JSON.parse(await cluster.run("today", ["migrate", "--json"]))).toMatchObject({ applied: [] });
    for (const version of versions) {
      expect((await fetch(`${toUrl(version)}/readyz`)).status).toBe(200);
      const pair = await refresh(toUrl(version), await logIn(toUrl(version)));
      await logOut(toUrl(version), pair);
      await expectRefused(toUrl(version), pair);
    }
  });
});

// Most of the time is spent waiting for the second attempt, so the tests run concurrently.
describe.concurrent("nodes of tokenpair 0.1 and of this version that send webhook messages", () => {
  const secret = randomBytes(32).toString("base64");

  it.for(databases.flatMap((database) => versions.map((version) => [version, database] as const)))(
    "send a message that %s has written over %s from the other version's node",
    async ([version, database], { expect, onTestFinished }) => {
      const receiver = await startWebhookReceiver(secret);
      onTestFinished(receiver.close);
      const cluster = await createMigratedCluster(database, {
        TOKENPAIR_WEBHOOK_URL: receiver.url,
        TOKENPAIR_WEBHOOK_SECRET: secret,
      });
      onTestFinished(cluster.close);
      const old = await cluster.start("0.1");
      const nodes = { "0.1": old, today: await cluster.start("today") };
      const [writer, sender] = [nodes[version], nodes[otherVersion(version)]];

      const sessionId = toSessionId(await reuse(writer.url, sender.url));
      const find = (status: number) =>
        receiver.messages.find(
          ({ body, status: answered }) =>
            answered === status && body.data.session_id === sessionId && body.type !== "new_device",
        );
      // Each node that has failed to send the message says so after it has postponed it. Then it holds no lease on it.
      await expect.poll(() => find(500), eventually).toBeDefined();
      const { id } = find(500) as NonNullable<ReturnType<typeof find>>;
      await expect.poll(() => `${old.log()}${nodes.today.log()}`, eventually).toContain(id);
      await writer.kill();
      receiver.answerWith(200);

      await expect.poll(() => find(200), eventually).toBeDefined();
      expect(find(200)).toMatchObject({ id, isGenuine: true, body: { type: "reuse_detected" } });
    },
  );
});

/** Parses output with one JSON object per line. */
function parseLines(output: string): readonly (Pick<AuditEntry, "type"> & Readonly<Record<string, unknown>>)[] {
  return output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}
