import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Nodes, openNodes } from "../support/nodes.ts";
import { getMe, type Pair, post, postRefresh, toPair } from "../support/wire.ts";

const password = "correct horse battery staple";
const minute = 60_000;

describe.each([
  { database: "SQLite", servers: 2 },
  { database: "PostgreSQL", servers: 3 },
] as const)("$servers server processes over one $database", ({ database, servers }) => {
  let nodes: Nodes;
  let urls: readonly string[];

  beforeAll(async () => {
    nodes = await openNodes({ database, servers });
    urls = nodes.servers.map((server) => server.url);
  }, minute);
  afterAll(() => nodes.close());

  const urlOf = (n: number) => urls[n % urls.length] ?? "";

  it(
    "give 64 parallel refreshes of one token one successor and 64 answers 200, again and again",
    async () => {
      const userId = await nodes.addUser("racer", password);
      let { refresh } = await nodes.auth.issue(userId);
      const rounds = 20;
      for (let round = 0; round < rounds; round++) {
        const racing = Array.from({ length: 64 }, (_, n) => postRefresh(urlOf(n), refresh));
        const answers = await Promise.all(racing);
        expect(answers.map((answer) => answer.status)).toEqual(Array(64).fill(200));
        const successors = new Set(answers.map((answer) => toPair(answer).refresh));
        expect(successors.size).toBe(1);
        expect(answers.filter((answer) => !answer.replayed).length).toBe(1);
        [refresh = ""] = successors;
      }
      expect(await nodes.auth.sessions.list(userId)).toHaveLength(1);
      console.log(`races over ${database}: ${rounds} rounds of 64 parallel refreshes, one successor each`);
    },
    minute,
  );

  it(
    "leave nothing alive where a refresh races a logout, 200 rounds",
    async () => {
      const userId = await nodes.addUser("leaver", password);
      let refreshed = 0;
      let last: Pair[] = [];
      for (let round = 0; round < 200; round++) {
        const { refresh } = await nodes.auth.issue(userId);
        const racing = [
          postRefresh(urlOf(round), refresh),
          postRefresh(urlOf(round + 1), refresh),
          post(`${urlOf(round)}/api/token/blacklist/`, { refresh }),
          postRefresh(urlOf(round), refresh),
        ] as const;
        const answers = await Promise.all(racing);
        expect(answers[2].status).toBe(200);
        last = [answers[0], answers[1], answers[3]].filter(({ status }) => status === 200).map(toPair);
        refreshed += last.length;
        for (const pair of last) expect((await postRefresh(urlOf(round + 1), pair.refresh)).status).toBe(401);
      }
      expect(await nodes.auth.sessions.list(userId)).toEqual([]);
      await expectRefusedEverywhere(urls, last);
      // Were every refresh late, nothing would have been raced.
      expect(refreshed).toBeGreaterThan(0);
      console.log(
        `races over ${database}: 200 rounds of refresh against logout, ${refreshed} refreshes came first, nothing alive`,
      );
    },
    minute,
  );

  it(
    "leave nothing alive where a login races a disable, 200 rounds",
    async () => {
      const userId = await nodes.addUser("leaving", password);
      let loggedIn = 0;
      let last: Pair[] = [];
      for (let round = 0; round < 200; round++) {
        const login = () => post(`${urlOf(round)}/api/token/`, { username: "leaving", password });
        const logins = [login(), login()];
        // Spread over the time that a password hash takes, so that the disable falls before, between and after.
        await new Promise((resolve) => setTimeout(resolve, (round % 20) * 4));
        await nodes.auth.users.disable(userId);
        const pairs = (await Promise.all(logins)).filter(({ status }) => status === 200).map(toPair);
        loggedIn += pairs.length;
        for (const { refresh } of pairs) expect((await postRefresh(urlOf(round + 1), refresh)).status).toBe(401);
        if (pairs.length > 0) last = pairs;
        expect(await nodes.auth.sessions.list(userId)).toEqual([]);
        await nodes.auth.users.enable(userId);
      }
      await expectRefusedEverywhere(urls, last);
      expect(loggedIn).toBeGreaterThan(0);
      console.log(
        `races over ${database}: 200 rounds of login against disable, ${loggedIn} logins came first, nothing alive`,
      );
    },
    2 * minute,
  );
});

/** Within a second, no process accepts these access tokens. */
async function expectRefusedEverywhere(urls: readonly string[], pairs: readonly Pair[]): Promise<void> {
  expect(pairs.length).toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  for (const url of urls) {
    for (const { access } of pairs) expect(await getMe(url, access)).toBe(401);
  }
}
