/**
 * The whole way of a request, from its headers to its claims, through the public `authenticate`: with more and more
 * revocations loaded, and with the tokens remembered or not. Headers are a record as `node:http` makes it.
 */
import { randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { FeedState, Revocation } from "../src/core/revocation.ts";
import type { FeedStore } from "../src/core/store/feed.ts";
import type { Store } from "../src/core/store/index.ts";
import { type Auth, createAuth, type RequestLike } from "../src/index.ts";
import { sqliteStore } from "../src/store/sqlite/index.ts";
import type { Harness } from "./harness/harness.ts";
import { toFreshStrings } from "./harness/inputs.ts";
import { toFigure } from "./harness/markdown.ts";
import { heldBytes } from "./harness/memory.ts";
import { timeAsyncCalls, timings } from "./harness/timing.ts";

/** As many as fit the cache without driving each other out. */
const users = 500;

/** What a node holds of revocations: how many, and whether of sessions alone or of sessions, users and tokens. */
interface Load {
  readonly name: string;
  readonly revocations: number;
  readonly mixed?: boolean;
  /** Whether something else is revoked about every millisecond. */
  readonly changing?: boolean;
}

export async function run(harness: Harness): Promise<void> {
  const many = harness.quick ? 100_000 : 1_000_000;
  const loads: readonly Load[] = [
    { name: "nothing is revoked", revocations: 0 },
    { name: "10,000 sessions", revocations: 10_000 },
    { name: `${toFigure(many)} sessions`, revocations: many },
    { name: `${toFigure(many)} sessions, users, tokens`, revocations: many, mixed: true },
    { name: `${toFigure(many)} of all, and more all the time`, revocations: many, mixed: true, changing: true },
  ];
  for (const [title, settings] of [
    ["Tokens that were seen before", {}],
    ["Nothing remembered: verifyCacheSize 0", { verifyCacheSize: 0 }],
  ] as const) {
    const nodes = await Promise.all(loads.map((load) => start({ ...load, ...settings })));
    const results = await harness.compare({
      title,
      ...timings,
      baseline: "nothing is revoked",
      contenders: Object.fromEntries(
        nodes.map(({ name, authenticate, createInputs }) => [
          name,
          timeAsyncCalls(authenticate, createInputs, harness),
        ]),
      ),
    });
    for (const { name } of loads.slice(1)) harness.goal(`${name}, against none`, results.ratio(name), 0.77);
    for (const node of nodes) await node.stop();
  }
  await compareCarriers(harness);
  await showMemory(harness);
}

async function compareCarriers(harness: Harness): Promise<void> {
  const header = await start({ name: "in the authorization header", revocations: 0 });
  const cookie = await start({ name: "in a cookie among others", revocations: 0, toHeaders: toCookieHeaders });
  await harness.compare({
    title: "How the token comes",
    ...timings,
    baseline: header.name,
    contenders: Object.fromEntries(
      [header, cookie].map(({ name, authenticate, createInputs }) => [
        name,
        timeAsyncCalls(authenticate, createInputs, harness),
      ]),
    ),
  });
  await header.stop();
  await cookie.stop();
}

/** What stays in memory, and how often the store is asked, while tokens come and go that the cache cannot hold. */
async function showMemory({ quick, table }: Harness): Promise<void> {
  const { authenticate, createInputs, storeCalls, stop } = await start({
    name: "memory",
    revocations: 10_000,
    tokens: 5_000,
  });
  const [total, step] = quick ? [1_000_000, 250_000] : [10_000_000, 1_000_000];
  const rows = [];
  for (let calls = 0; calls <= total; calls += step) {
    rows.push([toFigure(calls), (heldBytes() / 2 ** 20).toFixed(2), `${storeCalls()}`]);
    for (let i = 0; i < step; i += 500) {
      for (const request of createInputs(500)) await authenticate(request);
      // The feed's poll has its turn, as between requests.
      await setImmediate();
    }
  }
  table("Memory in use while 5,000 tokens take turns", ["calls", "MiB", "calls of the store"], rows);
  await stop();
}

type Headers = Readonly<Record<string, string>>;

/** A node that holds so many revocations, and requests of its users. */
async function start({
  name,
  revocations,
  mixed = false,
  changing = false,
  tokens = users,
  toHeaders = toBearerHeaders,
  verifyCacheSize,
}: Load & {
  readonly tokens?: number;
  readonly toHeaders?: (token: string) => Headers;
  readonly verifyCacheSize?: number;
}) {
  const store = sqliteStore(":memory:");
  await store.migrate();
  let storeCalls = 0;
  const counted = countCalls(withRevocations(store, { revocations, mixed, changing }), () => storeCalls++);
  const auth = createAuth({
    store: counted,
    signingKey: "a signing key of this benchmark only",
    maxSessionsPerUser: null,
    ...(verifyCacheSize === undefined ? {} : { verifyCacheSize }),
  });
  await auth.ready();
  if (auth.stats().revocations.live !== revocations) throw new Error("not all revocations were loaded");
  const createTokens = toFreshStrings(await logInAll(auth, tokens));
  storeCalls = 0;
  return {
    name,
    createInputs: (count: number) => createTokens(count).map((token) => ({ headers: toHeaders(token), method: "GET" })),
    authenticate: (request: RequestLike) => auth.authenticate(request),
    storeCalls: () => storeCalls,
    stop: async () => {
      await auth.close();
      await store.close();
    },
  };
}

async function logInAll(auth: Auth, count: number): Promise<readonly string[]> {
  const { id } = await auth.users.create({ username: "alice" });
  const tokens: string[] = [];
  while (tokens.length < count) tokens.push((await auth.issue(id)).access);
  return tokens;
}

/** What a browser sends, in the order of `node:http`. */
const browserHeaders = {
  host: "api.example.com",
  connection: "keep-alive",
  "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  accept: "application/json",
  "accept-language": "en-GB,en;q=0.9",
};

const toBearerHeaders = (token: string): Headers => ({ ...browserHeaders, authorization: `Bearer ${token}` });

const toCookieHeaders = (token: string): Headers => ({
  ...browserHeaders,
  cookie: `theme=dark; __Host-Http-access=${token}; __Host-csrftoken=${"c".repeat(90)}; _ga=GA1.1.1234567890.1234567890`,
});

/** The store, its feed being one that begins with so many revocations. */
function withRevocations(
  store: Store,
  { revocations, mixed, changing }: Required<Pick<Load, "revocations" | "mixed" | "changing">>,
): Store {
  let state: FeedState | undefined;
  const feed: FeedStore = {
    ...store.feed,
    subscribe: (wake) => {
      const timer = changing ? setInterval(() => wake(true), 1) : undefined;
      return () => clearInterval(timer);
    },
    read: async (options) => {
      state ??= (await store.feed.read(options)).state;
      const { after } = options;
      const first = after === null ? 0 : Number(after);
      const count = changing && first >= revocations ? first + 1 : revocations;
      const last = Math.min(first + 50_000, count);
      const batch = Array.from({ length: last - first }, (_, i) => createRevocation(first + i, mixed));
      const positions = batch.map((_, i) => BigInt(first + i));
      const place = { history: "bench", horizon: BigInt(last) };
      const cursor = `${last}`;
      return { revocations: batch, positions, place, cursor, more: last < count, seen: cursor, state };
    },
  };
  return { ...store, feed };
}

/** Of a session; mixed, one in ten of a user and one of a token. */
function createRevocation(i: number, mixed: boolean): Revocation {
  const at = Math.floor(Date.now() / 1000);
  if (mixed && i % 10 === 8) return { kind: "user", userId: randomUUID(), epoch: 2, at };
  if (mixed && i % 10 === 9) return { kind: "token", tokenId: randomUUID().replaceAll("-", ""), at };
  return { kind: "session", sessionId: randomUUID(), at };
}

/** The store, calling `onCall` before everything but the polls of its feed, which no request causes. */
function countCalls(store: Store, onCall: () => void): Store {
  const counted = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name) {
        onCall();
        return Reflect.get(target, name);
      },
    });
  return { ...store, users: counted(store.users), sessions: counted(store.sessions) };
}
