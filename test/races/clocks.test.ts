import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { createBearerClient, type KeyValueStorage } from "../../src/client/bearer/index.ts";
import { hasLongTests } from "../support/long-tests.ts";
import { longTimeoutVariables } from "../support/long-timeouts.ts";
import { type Nodes, openNodes } from "../support/nodes.ts";
import { chaosFactor } from "./factor.ts";

/** How many users log in for each difference between the clocks. */
const logins = chaosFactor === 1 ? 20 : 1_000;

/** How many of them use their clients at the same time. */
const parallel = 10;

const alice = { username: "alice", password: "correct horse battery staple" };

const shiftClock = pathToFileURL(resolve(import.meta.dirname, "../support/shift-clock.ts")).href;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** What the clients of the users saw. */
interface Seen {
  /** Requests to a node, and how many of them were not answered with a 2xx. */
  requests: number;
  readonly refused: string[];
  readonly loggedOut: string[];
}

/** Starts a server whose wall clock is ahead of the database's, or behind it. */
async function startShifted(nodes: Nodes, ahead: number, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const shifted = { ...env, NODE_OPTIONS: `--import=${shiftClock}`, CLOCK_AHEAD: String(ahead * 1_000) };
  return (await nodes.start(0, shifted)).url;
}

/** Logs in, and uses the session on both nodes before and after a refresh. Each request goes to the other node. */
async function use(urls: readonly [string, string], first: number, seen: Seen): Promise<void> {
  let next = first;
  const send = async (input: string | Request, init?: RequestInit) => {
    const target = new URL(String(input));
    const url = `${urls[next++ % 2]}${target.pathname}${target.search}`;
    const response = await fetch(url, init);
    seen.requests += 1;
    if (!response.ok) seen.refused.push(`${target.pathname} ${response.status} ${await response.clone().text()}`);
    return response;
  };
  const client = createBearerClient({ baseUrl: urls[0], fetch: send, storage: createStorage() });
  try {
    await client.login(alice);
    client.onChange(({ status, reason }) => void (status === "anonymous" && seen.loggedOut.push(reason ?? "")));
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 3; n++) await client.fetch("/api/auth/me/");
      await client.refresh();
    }
    if (client.session().status !== "authenticated") seen.loggedOut.push("at the end");
  } catch (error) {
    seen.refused.push(String(error));
  } finally {
    client.dispose();
  }
}

function createStorage(): KeyValueStorage {
  const values = new Map<string, string>();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}

/** Lets many users use nodes whose clocks differ by `seconds`: half of them a node that is ahead, the others one that is behind. */
async function useAll(count: number, seconds: number, env: Readonly<Record<string, string>> = {}): Promise<Seen> {
  const nodes = await openNodes({ database: "PostgreSQL", servers: 0, own: { maxSessionsPerUser: null } });
  closing.push(nodes.close);
  const all = { TOKENPAIR_MAX_SESSIONS_PER_USER: "none", ...longTimeoutVariables, ...env };
  await nodes.addUser(alice.username, alice.password);
  const [right, ahead, behind] = await Promise.all([
    startShifted(nodes, 0, all),
    startShifted(nodes, seconds, all),
    startShifted(nodes, -seconds, all),
  ]);
  const seen: Seen = { requests: 0, refused: [], loggedOut: [] };
  let left = count;
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (left > 0) {
        const n = left--;
        await use([right, n % 2 === 0 ? ahead : behind], n >> 1, seen);
      }
    }),
  );
  console.log(
    `clocks: ${seconds} s apart: ${count} logins, ${seen.requests} requests, ` +
      `${seen.refused.length} refused, ${seen.loggedOut.length} logged out`,
  );
  return seen;
}

describe("two nodes whose clocks differ", () => {
  it.each(hasLongTests ? [0.2, 1.5, 30] : [30])(
    "by %d s refuse no token of each other, and log no user out",
    async (seconds) => {
      const { requests, refused, loggedOut } = await useAll(logins, seconds);
      expect(refused).toEqual([]);
      expect(loggedOut).toEqual([]);
      expect(requests).toBeGreaterThanOrEqual(8 * logins);
    },
  );

  it("by more than they tolerate refuse tokens, which this test notices", async () => {
    const { refused } = await useAll(10, 5, { TOKENPAIR_CLOCK_TOLERANCE: "0" });
    expect(refused.length).toBeGreaterThan(0);
  });
});
