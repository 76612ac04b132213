import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Auth } from "../../src/index.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { type Pair, postRefresh, toPair, verifyAccess } from "../support/wire.ts";
import { type Cluster, createCluster, type Version } from "./cluster.ts";
import { type Auth01, type Release, unpackVersion01 } from "./version-0-1.ts";

/** The options of `expect.poll` for a condition that must come true, however busy the machine is. */
const eventually = { timeout: 120_000, interval: 20 };

const password = "correct horse battery staple";

const versions: readonly Version[] = ["0.1", "today"];

/** The acts of one version. Both name them differently. */
interface Revoker {
  readonly session: (sessionId: string) => Promise<unknown>;
  readonly others: (userId: string, sessionId: string) => Promise<unknown>;
  readonly allOfUser: (userId: string) => Promise<unknown>;
  readonly disable: (userId: string) => Promise<unknown>;
  readonly password: (userId: string) => Promise<unknown>;
  readonly token: (tokenId: string) => Promise<unknown>;
  readonly everything: () => Promise<unknown>;
}

const toClaims = ({ access }: Pair): { sid: string; jti: string; ge?: number; user_id: string } =>
  JSON.parse(Buffer.from(access.split(".")[1] ?? "", "base64url").toString());
const toSessionId = (pair: Pair) => toClaims(pair).sid;

let release: Release;
beforeAll(async () => {
  release = await unpackVersion01();
});
afterAll(() => release.remove());

describe.each(["SQLite", "PostgreSQL"])(
  "an upgrade from 0.1 on %s, while nodes of both versions serve,",
  (database) => {
    let postgres: PostgresServer | null = null;
    let cluster: Cluster;
    let old: { readonly server: ServerProcess; readonly auth: Auth01 };
    let today: { readonly server: ServerProcess; readonly auth: Auth };
    let revokers: Readonly<Record<Version, Revoker>>;
    /** Pairs whose sessions were revoked: they must be refused for ever. */
    const revoked: Pair[] = [];
    let count = 0;

    beforeAll(async () => {
      if (database === "PostgreSQL") postgres = await startPostgres();
      cluster = createCluster({ release, postgresUrl: postgres?.url });
      await cluster.run("0.1", ["migrate"]);
      const server = await cluster.start("0.1");
      old = { server, auth: await cluster.openAuth01() };
      const todaysServer = await cluster.start("today", { TOKENPAIR_CONFIRM_REVOCATIONS: "false" });
      today = { server: todaysServer, auth: cluster.openAuth({ confirmRevocations: false }) };
      await today.auth.ready();
      revokers = { "0.1": toOldRevoker(old.auth), today: toTodaysRevoker(today.auth) };
    });
    afterAll(async () => {
      await cluster.close();
      await postgres?.stop();
    });

    const urls = () => [old.server.url, today.server.url];

    async function addUser(): Promise<string> {
      count += 1;
      return (await today.auth.users.create({ username: `user ${count}`, password })).id;
    }

    /** Logs the user in on a node of each version. */
    async function logInOnBoth(userId: string): Promise<readonly [Pair, Pair]> {
      const pairs = [await old.auth.issue(userId), (await today.auth.issue(userId)) as Pair] as const;
      // A version that doesn't know the claim revokes by time, and needs no claim.
      expect(pairs.map((pair) => toClaims(pair).ge !== undefined)).toEqual([false, true]);
      for (const pair of pairs) await expectAccepted(pair, urls());
      return pairs;
    }

    const expectAccepted = async ({ access }: Pair, nodes: readonly string[]) => {
      for (const url of nodes) await expect.poll(() => verifyAccess(url, access), eventually).toBe(200);
    };

    async function expectRefused(pairs: readonly Pair[], nodes: readonly string[]): Promise<void> {
      for (const url of nodes) {
        for (const { access, refresh } of pairs) {
          await expect.poll(() => verifyAccess(url, access), eventually).toBe(401);
          expect((await postRefresh(url, refresh)).status).toBe(401);
        }
      }
    }

    const refreshOn = async (url: string, pair: Pair) => toPair(await postRefresh(url, pair.refresh));

    it("logs nobody out: each version refreshes what the other has issued or refreshed", async () => {
      for (let pair of await logInOnBoth(await addUser())) {
        for (const url of [...urls(), ...urls()]) {
          pair = await refreshOn(url, pair);
          await expectAccepted(pair, urls());
        }
      }
    });

    describe.each(versions)("what a node of %s revokes is refused on both:", (version) => {
      it.each<[string, (act: Revoker, userId: string) => Promise<unknown>]>([
        ["all sessions of a user", (act, userId) => act.allOfUser(userId)],
        ["the sessions of a user who is disabled", (act, userId) => act.disable(userId)],
        ["the sessions of a user whose password was set", (act, userId) => act.password(userId)],
      ])("%s", async (_, revoke) => {
        const userId = await addUser();
        const pairs = await logInOnBoth(userId);
        await revoke(revokers[version], userId);
        await expectRefused(pairs, urls());
        revoked.push(...pairs);
      });

      it("one session, and no other one", async () => {
        const userId = await addUser();
        const pairs = await logInOnBoth(userId);
        const others = await logInOnBoth(userId);
        for (const pair of pairs) await revokers[version].session(toSessionId(pair));
        await expectRefused(pairs, urls());
        for (const pair of others) await expectAccepted(await refreshOn(today.server.url, pair), urls());
        revoked.push(...pairs);
      });

      it("the other sessions of a user, whose own session stays", async () => {
        for (const caller of versions) {
          const userId = await addUser();
          const others = await logInOnBoth(userId);
          const [fromOld, fromToday] = await logInOnBoth(userId);
          const [own, other] = caller === "0.1" ? [fromOld, fromToday] : [fromToday, fromOld];
          await revokers[version].others(userId, toSessionId(own));
          await expectRefused([...others, other], urls());
          expect(await verifyAccess(today.server.url, own.access)).toBe(200);
          // A node of 0.1 doesn't know exceptions, so it may refuse the access token. A refresh heals that, on either node.
          const next = await refreshOn(old.server.url, own);
          await expectAccepted(next, urls());
          await expectAccepted(await refreshOn(today.server.url, next), urls());
          revoked.push(...others, other);
        }
      });

      it("one access token, and not its session", async () => {
        for (const pair of await logInOnBoth(await addUser())) {
          await revokers[version].token(toClaims(pair).jti);
          for (const url of urls()) await expect.poll(() => verifyAccess(url, pair.access), eventually).toBe(401);
          await expectAccepted(await refreshOn(old.server.url, pair), urls());
        }
      });

      it("all sessions of all users, and a login afterwards is accepted", async () => {
        const pairs = [...(await logInOnBoth(await addUser())), ...(await logInOnBoth(await addUser()))];
        await revokers[version].everything();
        await expectRefused(pairs, urls());
        revoked.push(...pairs);
        // Version 0.1 revokes what was issued in the same second too, so not only the first login counts.
        const userId = await addUser();
        const acceptsNewLogin = async (issue: () => Promise<Pair>) => {
          const { access } = await issue();
          return Promise.all(urls().map((url) => verifyAccess(url, access)));
        };
        for (const issue of [old.auth.issue, today.auth.issue]) {
          await expect
            .poll(() => acceptsNewLogin(() => issue(userId) as Promise<Pair>), eventually)
            .toEqual([200, 200]);
        }
      });
    });

    it("brings nothing back when the nodes of 0.1 are gone, and confirms from then on", async () => {
      const userId = await addUser();
      const kept = await logInOnBoth(userId);
      await old.auth.close();
      await old.server.stop();
      const restarted = await cluster.start("today");
      expect(revoked.length).toBeGreaterThan(20);
      await expectRefused(revoked, [today.server.url, restarted.url]);
      for (const pair of kept) await expectAccepted(await refreshOn(restarted.url, pair), [restarted.url]);

      await today.auth.close();
      await today.server.stop();
      const auth = cluster.openAuth();
      await auth.ready();
      await expect
        .poll(async () => {
          const pair = (await auth.issue(userId)) as Pair;
          const { confirmed } = await auth.sessions.revoke(toSessionId(pair));
          // Whatever the answer is, it is true.
          if (confirmed !== "pending") expect(await verifyAccess(restarted.url, pair.access)).toBe(401);
          return confirmed;
        }, eventually)
        .toBe("acks");
    });
  },
);

function toOldRevoker(auth: Auth01): Revoker {
  return {
    session: (sessionId) => auth.sessions.end(sessionId),
    others: (userId, sessionId) => auth.logout({ userId, sessionId }, "others"),
    allOfUser: (userId) => auth.sessions.endAllOf(userId),
    disable: (userId) => auth.users.disable(userId),
    password: (userId) => auth.users.setPassword(userId, "another long password"),
    token: (tokenId) => auth.revokeToken(tokenId),
    everything: () => auth.sessions.endAll(),
  };
}

function toTodaysRevoker(auth: Auth): Revoker {
  const unconfirmed = async <T extends { readonly confirmed?: unknown }>(result: Promise<T>) =>
    expect(await result).not.toHaveProperty("confirmed");
  return {
    session: (sessionId) => unconfirmed(auth.sessions.revoke(sessionId)),
    others: (userId, sessionId) => unconfirmed(auth.logout({ userId, sessionId }, { scope: "others" })),
    allOfUser: (userId) => unconfirmed(auth.sessions.revokeAllForUser(userId)),
    disable: (userId) => unconfirmed(auth.users.disable(userId)),
    password: (userId) => unconfirmed(auth.users.setPassword(userId, "another long password")),
    token: (tokenId) => unconfirmed(auth.revokeToken(tokenId)),
    everything: () => unconfirmed(auth.sessions.revokeAll()),
  };
}
