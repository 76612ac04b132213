/**
 * How fast a revocation reaches every node, and what the index costs that holds it, beside a plain Map of the same entries.
 *
 * Lookups are timed in runs of 500 tokens, whose strings are in the cache as those of a freshly parsed token are, while
 * the entries are not; a figure is the mean over all runs of the best of several passes, so that other work on the machine
 * does not count. Memory is what a garbage collection leaves. A pause is the longest single call, on the wall clock.
 */
import { randomBytes, randomUUID } from "node:crypto";
import type { Revocation } from "../src/core/revocation.ts";
import {
  createRevocationIndex,
  type RevocableToken,
  type RevocationIndex,
} from "../src/revocation/revocation-index.ts";
import type { Harness } from "./harness/harness.ts";
import { toFigure } from "./harness/markdown.ts";
import { collectGarbage, heldBytes } from "./harness/memory.ts";
import { measureConfirmation } from "./revocation/confirmation.ts";
import { measurePropagation } from "./revocation/propagation.ts";
import { measureStalls } from "./revocation/stalls.ts";

type Index = Pick<RevocationIndex, "apply" | "isRevoked" | "sweep" | "size">;
type Kind = "session" | "user" | "token";

const accessTokenLifetime = 1800;
const runLength = 500;
const runs = 100;
const passes = 30;

/** Written to where the processor's own caches are to lose the entries, as they do while a server does other work. */
const otherMemory = new Int32Array(2 ** 20);

let ahead = 0;
const clock = {
  now: () => Math.floor(Date.now() / 1000) + ahead,
  wall: () => Date.now() + ahead * 1_000,
  monotonic: () => performance.now(),
};

const createOurs = (): Index => createRevocationIndex({ leeway: 0, clock });

/** The plain way: Maps from the id to its expiry, and to the epoch of a user, each swept whole. */
function createMaps(): Index {
  const sessions = new Map<string, number>();
  const tokens = new Map<string, number>();
  const users = new Map<string, { epoch: number; until: number }>();
  return {
    apply(revocation) {
      const until = revocation.at + accessTokenLifetime + 60;
      if (revocation.kind === "session") sessions.set(revocation.sessionId, until);
      if (revocation.kind === "token") tokens.set(revocation.tokenId, until);
      if (revocation.kind === "user") users.set(revocation.userId, { epoch: revocation.epoch, until });
    },
    isRevoked: (token) =>
      sessions.has(token.sessionId) ||
      tokens.has(token.tokenId) ||
      token.userEpoch < (users.get(token.userId)?.epoch ?? 0),
    sweep() {
      const now = clock.now();
      for (const [id, until] of sessions) if (until <= now) sessions.delete(id);
      for (const [id, until] of tokens) if (until <= now) tokens.delete(id);
      for (const [id, { until }] of users) if (until <= now) users.delete(id);
    },
    get size() {
      return sessions.size + tokens.size + users.size;
    },
  };
}

/** Flat strings of their own, as JSON.parse makes them. */
const parsed = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

function createRevocation(kind: Kind): Revocation {
  const at = clock.now();
  const until = at + accessTokenLifetime;
  if (kind === "session") return parsed({ kind, sessionId: randomUUID(), at, until });
  if (kind === "user") return parsed({ kind, userId: randomUUID(), epoch: 2, at, until });
  return parsed({ kind, tokenId: randomBytes(16).toString("hex"), at, until });
}

/** A token that `revocation` ends; without one, a token that nothing ends. */
function createToken(revocation?: Revocation): RevocableToken {
  const {
    sessionId = randomUUID(),
    userId = randomUUID(),
    tokenId = randomBytes(16).toString("hex"),
  } = (revocation as Partial<RevocableToken> | undefined) ?? {};
  return parsed({ sessionId, userId, tokenId, userEpoch: 1, globalEpoch: 0, issuedAt: clock.now() });
}

/** Nanoseconds of one `isRevoked`, in runs before each of which `prepare` is called. */
function measureLookup(
  index: Index,
  tokens: readonly RevocableToken[],
  revoked: boolean,
  prepare: () => void = () => {},
): number {
  const best = new Float64Array(tokens.length / runLength).fill(Number.POSITIVE_INFINITY);
  let characters = 0;
  for (let pass = 0; pass < passes; pass++) {
    for (let run = 0; run < best.length; run++) {
      prepare();
      const some = tokens.slice(run * runLength, (run + 1) * runLength);
      for (const { sessionId, userId, tokenId } of some) {
        characters += sessionId.charCodeAt(9) + userId.charCodeAt(9) + tokenId.charCodeAt(9);
      }
      let found = 0;
      const start = performance.now();
      for (const token of some) if (index.isRevoked(token)) found++;
      best[run] = Math.min(best[run] as number, performance.now() - start);
      if (found !== (revoked ? runLength : 0)) throw new Error("the index answered wrongly");
    }
  }
  if (characters === 0) throw new Error("the tokens were not read");
  return (best.reduce((sum, ms) => sum + ms, 0) / tokens.length) * 1e6;
}

/**
 * A row: what a lookup that finds something and one that finds nothing take, and one of a token that the index remembers, after
 * something else was revoked; an insert, and the memory of an entry.
 */
function measureIndex(name: string, create: () => Index, entries: number, kinds: readonly Kind[]): readonly string[] {
  const before = heldBytes();
  const index = create();
  const revoked: Revocation[] = [];
  let inserting = 0;
  for (let i = 0; i < entries; i += 1000) {
    const batch = Array.from({ length: 1000 }, (_, n) => createRevocation(kinds[n % kinds.length] as Kind));
    const start = performance.now();
    for (const revocation of batch) index.apply(revocation);
    inserting += performance.now() - start;
    // `parsed` again, so that no string is shared with the index.
    revoked.push(...parsed(batch.slice(0, Math.ceil((runs * runLength * 1000) / entries))));
  }
  const hits = Array.from({ length: runs * runLength }, (_, i) => createToken(revoked[i % revoked.length]));
  const misses = Array.from({ length: runs * runLength }, () => createToken());
  const hit = measureLookup(index, hits, true);
  const miss = measureLookup(index, misses, false);
  // As many as the cache of verified tokens holds by default.
  const remembered = misses.slice(0, 1000).map((token) => Object.freeze(token));
  const again = measureLookup(index, remembered, false, () => {
    index.apply(createRevocation(kinds[0] as Kind));
    otherMemory.fill(index.size);
  });
  for (const list of [hits, misses, revoked]) list.length = 0;
  // Below that, the memory of everything else moves more than the entries weigh.
  const bytes = entries < 1_000_000 ? Number.NaN : (heldBytes() - before) / entries;
  const expiring = measureExpiry(index);
  return [
    name,
    toFigure(entries),
    ...[hit, miss, again, (inserting * 1e6) / entries, bytes, (expiring * 1e6) / entries].map(toFigure),
  ];
}

/** Milliseconds until every entry has gone whose time is over. */
function measureExpiry(index: Index): number {
  ahead += accessTokenLifetime + 120;
  const start = performance.now();
  while (index.size > 0) index.sweep();
  return performance.now() - start;
}

/**
 * The longest of many calls that had the processor to themselves: one during which, or shortly before which, the system
 * took it away from this process counts as disturbed.
 */
function createPause() {
  let longest = 0;
  let longestAtAll = 0;
  let slow = 0;
  let calls = 0;
  let switches = 0;
  const countSwitches = () => process.resourceUsage().involuntaryContextSwitches;
  return {
    time(call: () => void) {
      if (calls++ % 32 === 0) switches = countSwitches();
      const start = performance.now();
      call();
      const took = performance.now() - start;
      longestAtAll = Math.max(longestAtAll, took);
      if ((took <= longest && took <= 1) || countSwitches() !== switches) return;
      longest = Math.max(longest, took);
      if (took > 1) slow++;
    },
    figures: () => [longest.toFixed(2), `${slow}`, longestAtAll.toFixed(2)],
  };
}

/** With the loop's own garbage collected before, what is left is the index and what the machine does beside. */
function measurePauses(name: string, create: () => Index, kind: Kind, entries: number): readonly string[][] {
  const index = create();
  const token = createToken();
  const [apply, sweep, lookup] = [createPause(), createPause(), createPause()];
  for (let i = 0; i < entries; i += 50_000) {
    const batch = Array.from({ length: 50_000 }, () => createRevocation(kind));
    collectGarbage();
    for (const revocation of batch) apply.time(() => index.apply(revocation));
  }
  ahead += accessTokenLifetime + 120;
  for (let i = 0; i < 300; i++) {
    sweep.time(() => index.sweep());
    for (let n = 0; n < 100; n++) lookup.time(() => index.isRevoked(token));
  }
  return [
    [`${name}: apply`, ...apply.figures()],
    [`${name}: sweep`, ...sweep.figures()],
    [`${name}: lookup`, ...lookup.figures()],
  ];
}

const mixed: readonly Kind[] = [...Array<Kind>(8).fill("session"), "user", "token"];

export async function run(harness: Harness): Promise<void> {
  const { quick, table } = harness;
  await measurePropagation(harness);
  await measureConfirmation(harness);
  await measureStalls(harness);
  const sizes = quick ? [10_000] : [10_000, 1_000_000, 10_000_000];
  const rows = sizes.flatMap((entries) => [
    measureIndex("index: sessions", createOurs, entries, ["session"]),
    measureIndex("index: users", createOurs, entries, ["user"]),
    measureIndex("index: 80 % sessions, users, tokens", createOurs, entries, mixed),
    measureIndex("Map: sessions", createMaps, entries, ["session"]),
    measureIndex("Map: 80 % sessions, users, tokens", createMaps, entries, mixed),
  ]);
  const head = ["", "entries", "hit ns", "miss ns", "remembered, miss ns", "insert ns", "bytes per entry", "expiry ns"];
  table("Lookups, inserts, memory, expiry", head, rows);
  const count = quick ? 100_000 : 1_000_000;
  table(
    `Longest single call while ${toFigure(count)} entries are added and expire`,
    ["", "ms", "calls over 1 ms", "ms, disturbed calls included"],
    [
      ...measurePauses("index: sessions", createOurs, "session", count),
      ...measurePauses("index: users", createOurs, "user", count),
      ...measurePauses("Map: sessions", createMaps, "session", count),
    ],
  );
}
