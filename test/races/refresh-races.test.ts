import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { longTimeoutVariables } from "../support/long-timeouts.ts";
import { type Nodes, openNodes } from "../support/nodes.ts";
import { type Pair, post, postRefresh, toPair, verifyAccess } from "../support/wire.ts";
import { chaosFactor } from "./factor.ts";

const password = "correct horse battery staple";
const minute = 60_000;

const writers = 40;

/** Milliseconds after which a server that still accepts a revoked token has missed the revocation. */
const tooLate = 30_000;

/** 64 requests for one row take long on a busy machine. */
const longTimes = { ...longTimeoutVariables, TOKENPAIR_REUSE_INTERVAL: "60" };

describe.each([
  { database: "SQLite", servers: 2, least: { sessions: 5, rounds: 25, revocations: 40 } },
  { database: "PostgreSQL", servers: 3, least: { sessions: 10, rounds: 50, revocations: 80 } },
] as const)("$servers server processes over one $database", ({ database, servers, least }) => {
  const sessions = least.sessions * (chaosFactor === 1 ? 1 : 3 * chaosFactor);
  const rounds = least.rounds * chaosFactor;
  const revocations = least.revocations * chaosFactor;
  let nodes: Nodes;
  let urls: readonly string[];

  beforeAll(async () => {
    nodes = await openNodes({ database, servers, env: longTimes });
    urls = nodes.servers.map((server) => server.url);
  }, 5 * minute);
  afterAll(() => nodes.close(), 5 * minute);

  const urlOf = (n: number) => urls[n % urls.length] ?? "";
  const issue = async (userId: string): Promise<Pair> => (await nodes.auth.issue(userId)) as Pair;
  const logOut = (url: string, { refresh }: Pair) => post(`${url}/api/token/blacklist/`, { refresh });

  it(
    `answers 64 parallel refreshes of one token over ${database} with one successor, in ${sessions} sessions`,
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
    10 * minute * chaosFactor,
  );

  it(
    `leaves no live token over ${database} when a refresh races a logout, in ${rounds} rounds`,
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
      // If every refresh came after the logout, there was no race.
      expect(refreshed).toBeGreaterThan(0);
      console.log(
        `races over ${database}: ${rounds} rounds of refresh against logout, ${refreshed} refreshes came first, no live token left`,
      );
    },
    10 * minute * chaosFactor,
  );

  it(
    `leaves no live token over ${database} when a login races a disable, in ${rounds} rounds`,
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
        // Approaches the duration of a login, so that about half of the logins come first.
        delay = pairs.length === 0 ? 1.25 * delay + 1 : Math.max(0, delay + 1 - pairs.length);
        for (const { refresh } of pairs) expect((await postRefresh(urlOf(round + 1), refresh)).status).toBe(401);
        if (pairs.length > 0) last = pairs;
        expect(await nodes.auth.sessions.list(userId)).toEqual([]);
        await nodes.auth.users.enable(userId);
      }
      await expectRefusedEverywhere(last);
      expect(loggedIn).toBeGreaterThan(0);
      console.log(
        `races over ${database}: ${rounds} rounds of login against disable, ${loggedIn} logins came first, no live token left`,
      );
    },
    10 * minute * chaosFactor,
  );

  it(
    `applies each of ${revocations} revocations by ${writers} writers on every server over ${database}`,
    async () => {
      const userId = await nodes.addUser("many devices", password);
      const untouched = await issue(userId);
      const revoked: Pair[] = [];
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
          revoked.push(pair);
        }
      }

      await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
      await expectRefusedEverywhere(revoked);
      for (const url of urls) expect(await verifyAccess(url, untouched.access)).toBe(200);
      const [p50, p99, max] = [0.5, 0.99, 1].map((share) => toQuantile(lags, share));
      console.log(
        `races over ${database}: ${revoked.length} revocations by ${writers} writers, none missed by ${servers} servers; ` +
          `in force on the others after ${p50} ms (p50), ${p99} ms (p99), ${max} ms (max)`,
      );
    },
    10 * minute * chaosFactor,
  );

  async function expectRefusedEverywhere(pairs: readonly Pair[]): Promise<void> {
    expect(pairs.length).toBeGreaterThan(0);
    const since = performance.now();
    for (const pair of pairs) await Promise.all(urls.map((url) => waitUntilRefused(url, pair, since)));
  }
});

/** Sends the access token until it is refused. Returns how many milliseconds that took. */
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
