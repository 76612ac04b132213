import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKeks } from "../../src/crypto/keys/key-encryption.ts";
import { type KeyDeps, rotateKeys, rotateSecret } from "../../src/flows/keys/keys.ts";
import { hasLongTests } from "../support/long-tests.ts";
import { longTimeoutVariables } from "../support/long-timeouts.ts";
import { type Nodes, openNodes } from "../support/nodes.ts";
import { type Pair, post, postRefresh, toPair, verifyAccess } from "../support/wire.ts";
import { chaosFactor } from "./factor.ts";

const minute = 60_000;

const keyEncryptionKey = `2026:${randomBytes(32).toString("base64url")}`;
const options = { keks: createKeks(keyEncryptionKey), isImmediate: false, client: {} };

/** Seconds for which a key is only published. Far longer than a node needs to read the keys, and shorter than a test. */
const lead = 4;

const [clients, rotations] = chaosFactor === 1 ? [6, 1] : [12, 2];

const kidOf = (token: string): string => JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()).kid;

/** Clients that refresh in turn at all servers, and use each access token at once at every server. */
function startTraffic({ servers }: Nodes, sessions: readonly Pair[]) {
  const failures: string[] = [];
  /** Which keys have signed an access token, and a refresh token, at each server. */
  const seen = { access: servers.map(() => new Set<string>()), refresh: servers.map(() => new Set<string>()) };
  let forgives = false;
  let isStopped = false;
  let newest = "";

  async function use(pair: Pair, first: number): Promise<void> {
    let { refresh } = pair;
    for (let turn = first; !isStopped; turn++) {
      const at = turn % servers.length;
      const answer = await postRefresh(servers[at]?.url ?? "", refresh);
      if (answer.status !== 200) {
        failures.push(`a refresh with ${kidOf(refresh)} answered ${answer.status} ${answer.body.detail}`);
        return;
      }
      const next = toPair(answer);
      refresh = next.refresh;
      newest = next.access;
      seen.access[at]?.add(kidOf(next.access));
      seen.refresh[at]?.add(kidOf(next.refresh));
      for (const { url } of servers) {
        const status = await verifyAccess(url, next.access);
        if (status !== 200 && !forgives) {
          failures.push(`an access token of ${kidOf(next.access)} answered ${status}`);
        }
      }
    }
  }

  const running = sessions.map(use);
  return {
    failures,
    newest: () => newest,
    /** From now on, access tokens may be refused: then their clients refresh. */
    forgiveRefusals(): void {
      forgives = true;
    },
    /** Fulfils when every server has signed with this key. */
    async untilSignedBy(kid: string, kind: "access" | "refresh" = "access"): Promise<void> {
      const isSeen = () => failures.length > 0 || seen[kind].every((kids) => kids.has(kid));
      await expect.poll(isSeen, { timeout: 2 * minute, interval: 20 }).toBe(true);
    },
    async stop(): Promise<void> {
      isStopped = true;
      await Promise.all(running);
    },
  };
}

const databases = hasLongTests ? (["SQLite", "PostgreSQL"] as const) : (["PostgreSQL"] as const);

describe.each(databases)("three servers over %s that sign with the key ring", (database) => {
  let nodes: Nodes;
  let commands: KeyDeps;

  beforeAll(async () => {
    nodes = await openNodes({ database, servers: 3, keyEncryptionKey, env: longTimeoutVariables });
    commands = {
      store: nodes.store,
      settings: { accessTokenLifetime: 1_800, leeway: 0, algorithm: undefined },
      random: randomBytes,
      feed: { apply() {} },
      confirm: async () => "acks",
      emit() {},
      record: () => [],
    };
  }, 5 * minute);
  afterAll(() => nodes.close(), 5 * minute);

  /** Lets a key that was added sign sooner than a command does, so that the test need not wait for six minutes. */
  async function hasten(kid: string): Promise<void> {
    const { version, now } = await nodes.store.keys.read();
    expect(await nodes.store.keys.change(version, { update: [{ kid, signsFrom: now + lead }] })).toBe(true);
  }

  it(
    "refuse no token while keys and secrets are rotated, and no refresh when a key is retired at once",
    async () => {
      // However many nodes have started at once, there is one key and one secret.
      const first = await nodes.store.keys.read();
      expect(first.keys.map(({ use }) => use).sort()).toEqual(["access", "secret"]);
      await nodes.addUser("alice", "correct horse battery staple");
      const logIn = () =>
        post(`${nodes.servers[0]?.url}/api/token/`, { username: "alice", password: "correct horse battery staple" });
      const sessions = await Promise.all(Array.from({ length: clients }, async () => toPair(await logIn())));
      const traffic = startTraffic(nodes, sessions);
      const initial = first.keys.find(({ use }) => use === "access")?.kid ?? "";
      await traffic.untilSignedBy(initial);

      for (let n = 0; n < rotations; n++) {
        const rotated = await rotateKeys(commands, options);
        if ("refusal" in rotated) throw new Error(rotated.refusal);
        await hasten(rotated.next.kid);
        await traffic.untilSignedBy(rotated.next.kid);
      }
      const secret = await rotateSecret(commands, options);
      if ("refusal" in secret) throw new Error(secret.refusal);
      await hasten(secret.kid);
      await traffic.untilSignedBy("r2", "refresh");
      expect(traffic.failures).toEqual([]);

      // Nodes that have not read the change yet refuse what the next key signs, and sign with the retired one.
      traffic.forgiveRefusals();
      const leaked = traffic.newest();
      const { next } = JSON.parse(await nodes.run("keys", "retire", kidOf(leaked), "--now", "--json"));
      await traffic.untilSignedBy(next.kid);
      for (const { url } of nodes.servers) await expect.poll(() => verifyAccess(url, leaked)).toBe(401);
      await traffic.stop();
      expect(traffic.failures).toEqual([]);
    },
    5 * minute,
  );
});
