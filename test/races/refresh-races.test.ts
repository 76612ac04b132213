import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Nodes, openNodes } from "../support/nodes.ts";
import { type Pair, post, postRefresh, toPair, verifyAccess } from "../support/wire.ts";
import { chaosFactor } from "./factor.ts";

const password = "correct horse battery staple";
const minute = 60_000;

const writers = 40;

/** Milliseconds. A revocation that a server has not heard of by then, it has missed. */
const tooLate = 30_000;

describe.each([
  { database: "SQLite", servers: 2, least: { sessions: 20, rounds: 100, revocations: 120 } },
  { database: "PostgreSQL", servers: 3, least: { sessions: 200, rounds: 300, revocations: 400 } },
] as const)("$servers server processes over one $database", ({ database, servers, least }) => {
  const [sessions, rounds] = [least.sessions * chaosFactor, least.rounds * chaosFactor];
  const revocations = least.revocations * chaosFactor;
  let nodes: Nodes;
  let urls: readonly string[];

  beforeAll(async () => {
    nodes = await openNodes({ database, servers });
    urls = nodes.servers.map((server) => server.url);
  }, minute);
  afterAll(() => nodes.close(), minute);

  const urlOf = (n: number) => urls[n % urls.length] ?? "";
  const issue = async (userId: string): Promise<Pair> => (await nodes.auth.issue(userId)) as Pair;
  const logOut = (url: string, { refresh }: Pair) => post(`${url}/api/token/blacklist/`, { refresh });

  it(
    `give 64 parallel refreshes of one token one successor and 64 answers 200, in ${sessions} sessions`,
    async () => {
      const userId = await nodes.addUser("racer", password);
      for (let round = 0; round < sessions; round++) {
        const { refresh } = await issue(userId);
        const answers = await Promise.all(Array.from({ length: 64 }, (_, n) => postRefresh(urlOf(n), refresh)));
        expect(answers.map((answer) => answer.status)).toEqual(Array(64).fill(200));
        const successors = new Set(answers.map((answer) => toPair(answer).refresh));
        expect(successors.size).toBe(1);
        expect(answers.filter((answer) => !answer.replayed).length).toBe(1);
      }
      console.log(`races over ${database}: ${sessions} sessions × 64 parallel refreshes, one successor each`);
    },
    6 * minute * chaosFactor,
  );

  it(
    `leave nothing alive where a refresh races a logout, ${rounds} rounds`,
    async () => {
      const userId = await nodes.addUser("leaver", password);
      let refreshed = 0;
      let last: Pair[] = [];
      for (let round = 0; round < rounds; round++) {
        const pair = await issue(userId);
        const racing = [
          postRefresh(urlOf(round), pair.refresh),
          postRefresh(urlOf(round + 1), pair.refresh),
          logOut(urlOf(round), pair),
          postRefresh(urlOf(round), pair.refresh),
        ] as const;
        const answers = await Promise.all(racing);
        expect(answers[2].status).toBe(200);
        const pairs = [answers[0], answers[1], answers[3]].filter(({ status }) => status === 200).map(toPair);
        refreshed += pairs.length;
        for (const { refresh } of pairs) expect((await postRefresh(urlOf(round + 1), refresh)).status).toBe(401);
        if (pairs.length > 0) last = pairs;
      }
      expect(await nodes.auth.sessions.list(userId)).toEqual([]);
      await expectRefusedEverywhere(last);
      // Were every refresh late, nothing would have been raced.
      expect(refreshed).toBeGreaterThan(0);
      console.log(
        `races over ${database}: ${rounds} rounds of refresh against logout, ${refreshed} refreshes came first, nothing alive`,
      );
    },
    5 * minute * chaosFactor,
  );

  it(
    `leave nothing alive where a login races a disable, ${rounds} rounds`,
    async () => {
      const userId = await nodes.addUser("leaving", password);
      let loggedIn = 0;
      let last: Pair[] = [];
      let delay = 0;
      for (let round = 0; round < rounds; round++) {
        const login = () => post(`${urlOf(round)}/api/token/`, { username: "leaving", password });
        const logins = [login(), login()];
        await sleep(delay);
        await nodes.auth.users.disable(userId);
        const pairs = (await Promise.all(logins)).filter(({ status }) => status === 200).map(toPair);
        loggedIn += pairs.length;
        // Closes in on the time that a login takes, so that as many come first as come late.
        delay = Math.max(0, delay + 1 - pairs.length);
        for (const { refresh } of pairs) expect((await postRefresh(urlOf(round + 1), refresh)).status).toBe(401);
        if (pairs.length > 0) last = pairs;
        expect(await nodes.auth.sessions.list(userId)).toEqual([]);
        await nodes.auth.users.enable(userId);
      }
      await expectRefusedEverywhere(last);
      expect(loggedIn).toBeGreaterThan(0);
      console.log(
        `races over ${database}: ${rounds} rounds of login against disable, ${loggedIn} logins came first, nothing alive`,
      );
    },
    5 * minute * chaosFactor,
  );

  it(
    `miss none of ${revocations} revocations by ${writers} writers, and agree`,
    async () => {
      const userId = await nodes.addUser("many devices", password);
      const bystander = await issue(userId);
      const gone: Pair[] = [];
      const lags: number[] = [];

      async function write(writer: number): Promise<void> {
        for (let n = writer; n < revocations; n += writers) {
          const pair = await issue(userId);
          const [own, ...others] = urls.map((_, i) => urlOf(n + i));
          for (const url of others) expect(await verifyAccess(url, pair.access)).toBe(200);
          expect((await logOut(own ?? "", pair)).status).toBe(200);
          const since = performance.now();
          expect(await verifyAccess(own ?? "", pair.access)).toBe(401);
          lags.push(...(await Promise.all(others.map((url) => waitUntilRefused(url, pair, since)))));
          gone.push(pair);
        }
      }

      await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
      await expectRefusedEverywhere(gone);
      for (const url of urls) expect(await verifyAccess(url, bystander.access)).toBe(200);
      const [p50, p99, max] = [0.5, 0.99, 1].map((share) => toQuantile(lags, share));
      console.log(
        `races over ${database}: ${gone.length} revocations by ${writers} writers, none missed by ${servers} servers; ` +
          `in force on the others after ${p50} ms (p50), ${p99} ms (p99), ${max} ms (max)`,
      );
    },
    5 * minute * chaosFactor,
  );

  async function expectRefusedEverywhere(pairs: readonly Pair[]): Promise<void> {
    expect(pairs.length).toBeGreaterThan(0);
    const since = performance.now();
    for (const pair of pairs) await Promise.all(urls.map((url) => waitUntilRefused(url, pair, since)));
  }
});

/** Asks until the access token is refused; the milliseconds that it took. */
async function waitUntilRefused(url: string, { access }: Pair, since: number): Promise<number> {
  while ((await verifyAccess(url, access)) !== 401) {
    expect(performance.now() - since).toBeLessThan(tooLate);
    await sleep(10);
  }
  return performance.now() - since;
}

function toQuantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}
