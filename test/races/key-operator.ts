import pg from "pg";
import { expect } from "vitest";
import type { Nodes } from "../support/nodes.ts";
import type { PostgresServer } from "../support/postgres.ts";
import type { ServerProcess } from "../support/server-process.ts";
import type { Pair } from "../support/wire.ts";
import { type KeyTraffic, toKid } from "./key-traffic.ts";

/** Over which nodes an operator changes the keys, and what is judged meanwhile. */
export interface KeyOperatorOptions {
  readonly traffic: KeyTraffic;
  readonly urls: readonly string[];
  /** Seconds within which every node must refuse the tokens of a key that was retired at once. */
  readonly bound: number;
}

/** Creates an operator who changes the keys by the command line, and waits after each change until every node has followed. */
export async function createKeyOperator(nodes: Nodes, { traffic, urls, bound }: KeyOperatorOptions) {
  const { url: databaseUrl } = nodes.postgres as PostgresServer;
  const counts = { changes: 0, retired: 0, slowest: 0 };
  const killed = new Set<string>();
  const running = () => urls.filter((url) => !killed.has(url));
  /** A token of every key that has signed, oldest first. */
  const live = new Map<string, Pair>();
  const retired = new Map<string, Pair>();

  async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    counts.changes += 1;
    return JSON.parse(await nodes.runWith(env, "keys", ...args, "--json"));
  }

  /** Lets the time of a key come in a second, instead of minutes or days later. */
  async function hasten(kid: string, column: "signs_from" | "retire_at"): Promise<void> {
    const client = new pg.Client(databaseUrl);
    await client.connect();
    const time = "floor(extract(epoch FROM clock_timestamp())) + 1";
    await client
      .query(
        `BEGIN; UPDATE tokenpair.signing_keys SET ${column} = ${time} WHERE kid = '${kid}';
         UPDATE tokenpair.installation SET keys_version = keys_version + 1; COMMIT`,
      )
      .finally(() => client.end());
  }

  /** Waits until every node makes tokens with a key. */
  async function untilSignedBy(kid: string, kind: keyof Pair): Promise<void> {
    let pairs: readonly Pair[] = [];
    const readKids = async () => {
      pairs = await Promise.all(running().map(traffic.logIn));
      return pairs.map((pair) => toKid(pair[kind]));
    };
    await expect.poll(readKids).toEqual(running().map(() => kid));
    if (kind === "access") live.set(kid, pairs[0] as Pair);
  }

  const readJwks = async (url: string) => {
    const response = await fetch(`${url}/.well-known/jwks.json`);
    return `${response.headers.get("ETag")} ${await response.text()}`;
  };

  /** Waits until all nodes publish the keys of the database, and the same bytes. */
  async function untilPublished(): Promise<void> {
    const readKids = async () => {
      const [{ keys }, ...documents] = await Promise.all([nodes.store.keys.read(), ...running().map(readJwks)]);
      const kids = keys.flatMap(({ use, sealed, kid }) => (use === "access" && sealed !== null ? [kid] : []));
      const [published, ...others] = new Set(documents);
      const named = [...(published ?? "").matchAll(/"kid":"([^"]+)"/g)].map(([, kid]) => kid);
      return { others, isOfDatabase: named.join() === kids.toSorted().join() };
    };
    await expect.poll(readKids).toEqual({ others: [], isOfDatabase: true });
  }

  const expectedStatuses = (status: number) => urls.map((url) => (killed.has(url) ? 0 : status));

  /** Waits until every node refuses the tokens of a key. */
  async function untilRefused(kid: string, change: () => Promise<unknown>): Promise<void> {
    const { access } = live.get(kid) as Pair;
    // From now on, its claims are in the cache of every node.
    expect(await traffic.askEveryNode(access)).toEqual(expectedStatuses(200));
    live.delete(kid);
    retired.set(kid, { access, refresh: "" });
    traffic.retiring(kid);
    await change();
    const start = performance.now();
    const isRefused = async () => !(await traffic.askEveryNode(access)).includes(200);
    await expect.poll(isRefused, { timeout: bound * 1_000, interval: 5 }).toBe(true);
    counts.slowest = Math.max(counts.slowest, Math.ceil(performance.now() - start));
    counts.retired += 1;
    traffic.retired(kid);
    await untilPublished();
  }

  const [first] = await Promise.all(urls.map(traffic.logIn));
  await untilSignedBy(toKid(first?.access ?? ""), "access");

  return {
    counts,

    /** Adds a key, and lets it sign when every node has published it. */
    async rotate(): Promise<void> {
      const { next } = await run(["rotate"]);
      await untilPublished();
      await hasten(next.kid, "signs_from");
      await untilSignedBy(next.kid, "access");
    },

    /** Adds a key that signs at once. */
    async rotateAtOnce(): Promise<void> {
      const { next } = await run(["rotate", "--now"]);
      await untilSignedBy(next.kid, "access");
      await untilPublished();
    },

    /** Retires the oldest key, and lets its end come. */
    async retireOldest(): Promise<void> {
      const [kid = ""] = live.keys();
      await run(["retire", kid]);
      await untilPublished();
      await untilRefused(kid, () => hasten(kid, "retire_at"));
    },

    /** Retires the oldest key at once. */
    async retireOldestAtOnce(): Promise<void> {
      const [kid = ""] = live.keys();
      await untilRefused(kid, () => run(["retire", kid, "--now"]));
    },

    /** Retires the key that signs. @param isPublished whether the next one is published before. */
    async retireSigner(isPublished: boolean): Promise<void> {
      if (isPublished) await run(["rotate"]);
      const kid = [...live.keys()].at(-1) ?? "";
      let next = "";
      await untilRefused(kid, async () => {
        next = (await run(["retire", kid, "--now"])).next.kid;
      });
      await untilSignedBy(next, "access");
    },

    /** Changes the key, the secret and the seals at the same time. @param keyEncryptionKey of the new seals. */
    async changeTogether(keyEncryptionKey: string): Promise<void> {
      const [key, secret] = await Promise.all([
        run(["rotate", "--now"]),
        run(["rotate", "--secret"]),
        run(["rewrap"], { TOKENPAIR_KEY_ENCRYPTION_KEY: keyEncryptionKey }),
      ]);
      await untilSignedBy(key.next.kid, "access");
      await hasten(secret.next.kid, "signs_from");
      await untilSignedBy(secret.next.kid, "refresh");
      await run(["rewrap"], { TOKENPAIR_KEY_ENCRYPTION_KEY: keyEncryptionKey });
      await untilPublished();
    },

    /** Kills a node, and starts it again afterwards. */
    async whileKilled({ url, port, kill }: ServerProcess, work: () => Promise<void>): Promise<ServerProcess> {
      await kill();
      killed.add(url);
      await work();
      const started = await nodes.start(port);
      killed.delete(url);
      await untilPublished();
      return started;
    },

    /** Expects that every node accepts the tokens of all live keys, and no others. */
    async expectJudgement(): Promise<void> {
      for (const { access } of live.values()) expect(await traffic.askEveryNode(access)).toEqual(expectedStatuses(200));
      for (const { access } of retired.values())
        expect(await traffic.askEveryNode(access)).toEqual(expectedStatuses(401));
    },
  };
}
