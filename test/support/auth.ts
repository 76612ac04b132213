import { StoreUnavailableError } from "../../src/core/errors.ts";
import { type Random, systemRandom } from "../../src/core/runtime/random.ts";
import type { Settings } from "../../src/core/settings/settings.ts";
import type { Store } from "../../src/core/store/index.ts";
import type { SessionStore } from "../../src/core/store/sessions.ts";
import type { AuthUser } from "../../src/core/user.ts";
import { createDeps } from "../../src/create-deps.ts";
import { toSecretMaterial, toSigningKey } from "../../src/crypto/keys/key-material.ts";
import { createKeySet } from "../../src/crypto/keys/key-set.ts";
import { createPasswordHasher } from "../../src/crypto/passwords.ts";
import type { AuthEvent } from "../../src/events/events.ts";
import { createUser } from "../../src/flows/users/users.ts";
import type { Endpoint } from "../../src/http/endpoint.ts";
import { createHttpHandler } from "../../src/http/router.ts";
import { openTestStore } from "./test-store.ts";

/** The secret of every test's signing key. */
export const signingKey = "a signing key for tests, of at least 64 bytes, so that HS512 has enough";

/** The user whom every test finds. */
export const alice = Object.freeze({ username: "alice", password: "correct horse battery staple" });

/** When every test begins: 2026-01-01T00:00:00Z. */
export const testStart = 1_767_225_600;

/** Clocks that stand still until told. */
export function createTestClock(start = testStart) {
  let wall = start;
  let monotonic = 0;
  return {
    now: () => wall,
    wall: () => wall * 1_000,
    monotonic: () => monotonic,
    /** Moves the wall clock, and the store's with it. */
    advance: (seconds: number) => {
      wall += seconds;
    },
    /** Moves the monotonic clock alone: revocations grow stale. */
    stall: (seconds: number) => {
      monotonic += seconds * 1_000;
    },
  };
}

export interface TestAuthOptions {
  readonly settings?: Partial<Settings<AuthUser>>;
  /** The keys in the settings. Default: `signingKey` alone. */
  readonly given?: {
    readonly signingKey?: string | undefined;
    readonly secret?: string;
    readonly legacyRefreshKey?: string | undefined;
  };
  /** Wraps or replaces the store. */
  readonly wrapStore?: (store: Store) => Store;
  readonly endpoints?: readonly Endpoint[];
  /** Seconds by which the store's clock is ahead of the node's. Default: 0. */
  readonly storeAhead?: number;
  /** Default: the machine's random numbers. */
  readonly random?: Random;
}

/** Without this, a read in the background could make a stale node fresh again before a test has asked it anything. */
function withFeedCut(store: Store, isCut: () => boolean): Store {
  const cut = () => Promise.reject(new StoreUnavailableError("feed.read: cut off by the test"));
  return { ...store, feed: { ...store.feed, read: (options) => (isCut() ? cut() : store.feed.read(options)) } };
}

export type TestAuth = Awaited<ReturnType<typeof createTestAuth>>;

/** What `createAuth` is made of, with clocks that stand still and cheap hashes, and the user alice. Close it after the test. */
export async function createTestAuth({
  settings = {},
  given = {},
  wrapStore = (store) => store,
  endpoints,
  storeAhead = 0,
  random = systemRandom,
}: TestAuthOptions = {}) {
  const clock = createTestClock();
  const events: AuthEvent[] = [];
  const errors: unknown[] = [];
  let isFeedCut = false;
  const store = withFeedCut(wrapStore(await openTestStore(() => clock.now() + storeAhead)), () => isFeedCut);
  const passwords = createPasswordHasher({ passwordMemoryCost: 64, passwordTimeCost: 1, ...settings });
  // A confirmation is an event of its own, at a time of its own.
  const options = { store, signingKey, confirmRevocations: false, ...given, ...settings } as Parameters<
    typeof createDeps
  >[0];
  const parts = createDeps(options, (event) => void events.push(event), { clock, passwords, random });
  const { signals, auditQueue, storeMonitor } = parts;
  const deps = Object.freeze({ ...parts.httpDeps, ...parts.deps });
  await deps.feed.start();
  // The same key as the deps', for tests that forge.
  const keys = createKeySet({
    access: toSigningKey(toSecretMaterial(signingKey, deps.settings.algorithm), { use: "both" }),
  });
  const user = await createUser(deps, alice);
  const handler = createHttpHandler(deps, {
    onError: (error) => void errors.push(error),
    ...(endpoints === undefined ? {} : { endpoints }),
  });

  /** Sends a request; an object as `body` goes as JSON. */
  function send(method: string, path: string, { headers = {}, body }: { headers?: HeadersInit; body?: unknown } = {}) {
    const all = new Headers(headers);
    const isText = typeof body === "string" || body === undefined || body instanceof Uint8Array;
    if (!isText && !all.has("Content-Type")) all.set("Content-Type", "application/json");
    const init = { method, headers: all, body: isText ? (body as BodyInit) : JSON.stringify(body) };
    return handler.fetch(
      new Request(`https://auth.example${path}`, body === undefined ? { method, headers: all } : init),
    );
  }

  return {
    clock,
    /** Lets the node's knowledge of revocations grow stale: no read of the feed succeeds any more. */
    goStale(): void {
      isFeedCut = true;
      clock.stall(11);
    },
    auditQueue,
    deps,
    /** Whatever was answered with a 500. */
    errors,
    events,
    handler,
    keys,
    passwords,
    signals,
    storeMonitor,
    store,
    user,
    send,
    /** A new session of alice, through the token endpoint. */
    async logIn(): Promise<{ readonly access: string; readonly refresh: string }> {
      const response = await send("POST", "/api/token/", { body: alice });
      if (response.status !== 200) throw new Error(`login answered ${response.status}`);
      return (await response.json()) as { access: string; refresh: string };
    },
    async close(): Promise<void> {
      deps.readers.stop();
      deps.feed.stop();
      signals.stop();
      await storeMonitor.stop();
      await auditQueue.stop();
      await store.close();
    },
  };
}

/** A store some of whose session methods are others. */
export function withSessions(store: Store, change: (sessions: SessionStore) => Partial<SessionStore>): Store {
  return { ...store, sessions: { ...store.sessions, ...change(store.sessions) } };
}
