import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { longTimeoutVariables } from "../support/long-timeouts.ts";
import { type Nodes, openNodes } from "../support/nodes.ts";
import { post } from "../support/wire.ts";

const password = "correct horse battery staple";
const minute = 60_000;

/** Delays and timeouts that are so long that they are not over before the test is, even on a slow machine. */
const limits = {
  TOKENPAIR_LOGIN_FAILURES_BEFORE_DELAY: "5",
  TOKENPAIR_LOGIN_DELAY: "600",
  ...longTimeoutVariables,
};

describe.each(["SQLite", "PostgreSQL"] as const)("two server processes over one %s", (database) => {
  let nodes: Nodes;
  beforeAll(async () => {
    nodes = await openNodes({ database, servers: 2, env: limits });
    await nodes.addUser("alice", password);
  }, 5 * minute);
  afterAll(() => nodes.close(), 5 * minute);

  const logIn = (n: number, credentials: object) =>
    post(`${nodes.servers[n % 2]?.url}/api/token/`, { username: "alice", password, ...credentials });

  it(
    "admit all of 20 logins with the right password that arrive together from one address",
    async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => logIn(n, {})));
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    },
    minute,
  );

  it(
    "verify 5 of 60 guesses that arrive together, as one process would, and throttle the right password too",
    async () => {
      const guesses = Array.from({ length: 60 }, (_, n) => logIn(n, { password: `guess ${n}` }));
      const statuses = (await Promise.all(guesses)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 401)).toHaveLength(5);
      expect(statuses.filter((status) => status === 429)).toHaveLength(55);
      expect([(await logIn(0, {})).status, (await logIn(1, {})).status]).toEqual([429, 429]);
    },
    5 * minute,
  );

  it(
    "share the counts of failed logins, and admit the user on both nodes after clearUser",
    async () => {
      await nodes.addUser("bob", password);
      const statuses = [];
      for (let n = 0; n < 6; n++) statuses.push((await logIn(n, { username: "bob", password: "wrong" })).status);
      expect(statuses).toEqual([...Array(5).fill(401), 429]);
      const bob = await nodes.auth.users.findByName("bob");
      expect(await nodes.auth.throttle.clearUser(bob?.id ?? "")).toBe(2);
      expect([(await logIn(0, { username: "bob" })).status, (await logIn(1, { username: "bob" })).status]).toEqual([
        200, 200,
      ]);
    },
    5 * minute,
  );
});
