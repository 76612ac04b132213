import { createHash } from "node:crypto";
import { AuthError, type AuthErrorCode } from "../../src/core/errors.ts";
import type { Session } from "../../src/core/session.ts";
import { defaultSettings, type Settings } from "../../src/core/settings/settings.ts";
import type { Store } from "../../src/core/store/index.ts";
import type { AuthUser } from "../../src/core/user.ts";
import { createHmacKey } from "../../src/crypto/keys/hmac-key.ts";
import { createKeySet } from "../../src/crypto/keys/key-set.ts";
import { createPasswordHasher } from "../../src/crypto/passwords.ts";
import { createTokens, type Tokens } from "../../src/crypto/tokens/tokens.ts";
import type { Deps } from "../../src/flows/deps.ts";
import { createLoginQueue } from "../../src/flows/throttling/login-queue.ts";
import { createOwnUsers } from "../../src/flows/users/user-source.ts";
import { parseGivenKeys } from "../../src/keys/given-keys.ts";
import { toFirstSnapshot } from "../../src/keys/snapshot.ts";
import { createFeed } from "../../src/revocation/feed.ts";
import { createRevocationIndex } from "../../src/revocation/revocation-index.ts";
import {
  Crash,
  createModelDatabase,
  type Disk,
  type ModelDatabase,
  type Tables,
  type Trouble,
  toText,
} from "./model-database.ts";
import { createModelStore } from "./model-store.ts";
import { firstTables, rebase, type Scenario, toSession } from "./scenario.ts";
import type { TokenClaims } from "./world.ts";

/** A disk as the exploration counts it: equal disks are one snapshot. */
export interface Snapshot {
  readonly id: number;
  readonly disk: Disk;
  /** The explored session's row; undefined before the login. */
  readonly session: Session | undefined;
}

/** The answer of a flow, and how many transactions it ran. */
export type Answer = { readonly transactions: number } & (
  | { readonly kind: "pair"; readonly outcome: string; readonly pair: IssuedPair }
  | { readonly kind: "done" }
  | { readonly kind: "refused"; readonly code: AuthErrorCode; readonly sessionEnded: boolean }
);

interface IssuedPair {
  readonly generation: number;
  /** False if another secret of this generation was issued before (invariant I1). */
  readonly isOnlySuccessor: boolean;
  readonly refreshExpiresAt: number;
  readonly accessExpiresAt: number;
}

/** One way in which a flow can end. */
export interface Ending {
  /** Null if the process crashed before it could answer. */
  readonly answer: Answer | null;
  /** The tables as the flow left them, before times are rebased. */
  readonly tables: Tables;
  /** The explored session's row in `tables`. */
  readonly session: Session | undefined;
  /** Whether `tables` is what some number of the flow's whole transactions leaves: from none to all. */
  readonly isPrefix: boolean;
  readonly snapshot: Snapshot;
}

/** A flow with its input. Returns a pair, or null if it gives no tokens. */
export type Flow = (deps: Deps) => Promise<{ readonly outcome: string; readonly pair: GivenPair } | null>;

interface GivenPair {
  readonly access: string;
  readonly refresh?: string;
}

/** One run of a flow. */
interface Attempt {
  readonly answer: Answer | null;
  readonly database: ModelDatabase;
}

/** Runs the real flows, each as one process that may crash, and remembers how they ended. */
export interface Server {
  readonly tokens: Tokens;
  /** Returns the snapshot of a disk. */
  intern(disk: Disk): Snapshot;
  /** Returns the snapshot of the same disk some seconds later. */
  wait(snapshot: Snapshot, seconds: number): Snapshot;
  /**
   * Returns every ending of a flow: the answer, every changed disk that a crash may leave, and the answer under each of
   * `clocks`, the steps of the clock, if the flow runs enough transactions. `name` tells inputs apart.
   */
  run(
    snapshot: Snapshot,
    name: string,
    flow: Flow,
    clocks?: readonly (readonly number[])[],
  ): Promise<readonly Ending[]>;
  /** Returns the refresh token of a generation that has been issued. */
  tokenOf(snapshot: Snapshot, generation: number, claims: TokenClaims): string;
  /** Returns the secret of a generation that has been issued. */
  secretOf(generation: number): Uint8Array;
  /** How many different inputs the flows were run on. */
  readonly runs: number;
}

/** Returns keys that never change. */
function toFixedKeys(signingKey: string, settings: Settings<AuthUser>): Deps["keys"] {
  const snapshot = toFirstSnapshot(parseGivenKeys({ signingKey, settings }));
  if (snapshot === null) throw new Error("no HMAC key");
  return { ready: async () => {}, mayKnowLater: () => false, current: () => snapshot };
}

/** Creates the server of a scenario. */
export function createServer(scenario: Scenario): Server {
  let now = 0;
  const { reuseInterval, idleLifetime, absoluteLifetime } = scenario;
  const settings: Settings<AuthUser> = {
    ...defaultSettings,
    reuseInterval,
    refreshTokenLifetime: idleLifetime,
    sessionLifetime: absoluteLifetime,
  };
  const signingKey = "a key that only the model's server knows";
  const keySet = createKeySet({ access: createHmacKey({ algorithm: "HS256", secret: signingKey }) });
  const clock = { now: () => now, wall: () => now * 1_000, monotonic: () => now * 1_000 };
  const genuine = createTokens({ keys: () => keySet, clock, settings });
  const tokens = scenario.breakTokens?.(genuine) ?? genuine;
  // Reads tokens as a client does: also after the clock has gone back to a time before they were issued.
  const reader = createTokens({
    keys: () => keySet,
    clock,
    settings: { ...settings, leeway: 300, clockTolerance: 300 },
  });
  const passwords = createPasswordHasher();
  const emit = () => {};
  const revocations = createRevocationIndex({ ...settings, clock });
  const idle = createModelStore(createModelDatabase({ committed: firstTables, durable: firstTables }));
  const feed = createFeed({ settings, store: idle, index: revocations, clock, emit });
  const confirm = async () => "acks" as const;
  const keys = toFixedKeys(signingKey, settings);
  const record = () => [];
  const loginQueue = createLoginQueue();
  // No flow that the model has uses them.
  const readers = null as unknown as Deps["readers"];
  const shared = { settings, tokens, legacyTokens: null, passwords, keys, loginQueue, revocations, feed, readers };
  const lasting = { ...shared, confirm, clock, emit, record };
  const snapshots = new Map<string, Snapshot>();
  const endings = new Map<string, readonly Ending[]>();
  const waits = new Map<string, Snapshot>();
  const secrets = new Map<number, Uint8Array>();

  function toDeps(database: ModelDatabase): Deps {
    const whole = createModelStore(database);
    const store: Store = scenario.breakStore?.(whole, database) ?? whole;
    const users = createOwnUsers(store, passwords, settings);
    return { ...lasting, store, users, random: toRandom(database) };
  }

  function intern(disk: Disk): Snapshot {
    const rebased = scenario.isTimeless ? rebase(disk, reuseInterval) : disk;
    const key = toText(rebased);
    const known = snapshots.get(key);
    if (known !== undefined) return known;
    const snapshot = { id: snapshots.size, disk: rebased, session: toSession(rebased.committed) };
    snapshots.set(key, snapshot);
    return snapshot;
  }

  function toPair({ access, refresh = "" }: GivenPair): IssuedPair {
    const { generation, secret, expiresAt } = reader.verifyRefresh(refresh);
    const known = secrets.get(generation) ?? secret;
    secrets.set(generation, known);
    return {
      generation,
      isOnlySuccessor: Buffer.compare(known, secret) === 0,
      refreshExpiresAt: expiresAt,
      accessExpiresAt: reader.verifyAccess(access).expiresAt,
    };
  }

  async function attempt(disk: Disk, flow: Flow, trouble: Trouble = {}): Promise<Attempt> {
    const database = createModelDatabase(disk, trouble);
    now = disk.committed.now;
    const answer = await flow(toDeps(database)).then(
      (done): Answer => {
        const transactions = database.history.length - 1;
        if (done === null) return { kind: "done", transactions };
        return { kind: "pair", outcome: done.outcome, pair: toPair(done.pair), transactions };
      },
      (error: unknown): Answer | null => {
        if (error instanceof Crash) return null;
        if (!(error instanceof AuthError)) throw error;
        const transactions = database.history.length - 1;
        return { kind: "refused", code: error.code, sessionEnded: error.sessionEnded, transactions };
      },
    );
    return { answer, database };
  }

  async function runAll(snapshot: Snapshot, flow: Flow, clocks: readonly (readonly number[])[]): Promise<Ending[]> {
    const all: Ending[] = [];
    function add({ answer, database }: Attempt, whole: Attempt): void {
      const { disk } = database;
      const ending = {
        answer,
        tables: disk.committed,
        session: toSession(disk.committed),
        isPrefix: whole.database.history.some((tables) => toText(tables) === toText(disk.committed)),
        snapshot: intern(disk),
      };
      const changesNothing = answer === null && ending.snapshot === snapshot;
      const isKnown = all.some((other) => other.answer === answer && other.snapshot === ending.snapshot);
      if (!changesNothing && !isKnown) all.push(ending);
    }

    const complete = await attempt(snapshot.disk, flow);
    add(complete, complete);
    for (let crashAt = 0; ; crashAt++) {
      const crashed = await attempt(snapshot.disk, flow, { crashAt });
      if (crashed.answer !== null) break;
      add(crashed, complete);
    }
    for (const clockSteps of clocks) {
      const stepped = await attempt(snapshot.disk, flow, { clockSteps });
      // A step before the only transaction is one between two requests.
      if (stepped.database.history.length - 1 >= clockSteps.length) add(stepped, stepped);
    }
    return all;
  }

  function wait({ disk: { committed, durable } }: Snapshot, seconds: number): Snapshot {
    const later = { ...committed, now: committed.now + seconds };
    return intern({ committed: later, durable: durable === committed ? later : { ...durable, now: later.now } });
  }

  return {
    tokens,
    intern,
    wait(snapshot, seconds) {
      const key = `${snapshot.id} ${seconds}`;
      const later = waits.get(key) ?? wait(snapshot, seconds);
      waits.set(key, later);
      return later;
    },
    async run(snapshot, name, flow, clocks = []) {
      const key = `${snapshot.id} ${name}`;
      const known = endings.get(key);
      if (known !== undefined) return known;
      const found = await runAll(snapshot, flow, clocks);
      endings.set(key, found);
      return found;
    },
    tokenOf(snapshot, generation, claims) {
      const { session } = snapshot;
      if (session === undefined) throw new TypeError("no session yet");
      const { id: sessionId, userId, createdAt: issuedAt } = session;
      const secret = this.secretOf(generation);
      return tokens.mintRefresh({ userId, sessionId, issuedAt, generation, secret, ...claims });
    },
    secretOf(generation) {
      const secret = secrets.get(generation);
      if (secret === undefined) throw new TypeError(`generation ${generation} was never issued`);
      return secret;
    },
    get runs() {
      return endings.size;
    },
  };
}

/**
 * Returns random bytes that depend on the session's generation only, so that equal states stay equal. Bytes that a flow
 * draws after the successor was made differ from those that made it.
 */
function toRandom(database: ModelDatabase) {
  let calls = 0;
  return (size: number): Uint8Array => {
    const generation = toSession(database.disk.committed)?.generation ?? "login";
    const seed = `${generation} ${calls++}`;
    return createHash("sha512").update(seed).digest().subarray(0, size);
  };
}
