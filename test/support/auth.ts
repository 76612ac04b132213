import type { AuthEvent } from "../../src/core/events.ts";
import { resolveSettings } from "../../src/core/resolve-settings.ts";
import type { Settings } from "../../src/core/settings.ts";
import type { Store } from "../../src/core/store.ts";
import type { AuthUser } from "../../src/core/user.ts";
import { createPasswordHasher } from "../../src/crypto/passwords.ts";
import { systemRandom } from "../../src/crypto/secrets.ts";
import { createHmacKey, createKeySet } from "../../src/crypto/signing-key.ts";
import { createTokens } from "../../src/crypto/tokens.ts";
import { createApplicationUsers, createOwnUsers } from "../../src/flows/user-source.ts";
import { createUser } from "../../src/flows/users.ts";
import type { Endpoint, HttpDeps } from "../../src/http/endpoint.ts";
import { createHttpHandler } from "../../src/http/router.ts";
import { createFeed } from "../../src/revocation/feed.ts";
import { createRevocationIndex } from "../../src/revocation/revocation-index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";

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
  /** Wraps or replaces the store, which is SQLite in memory. */
  readonly wrapStore?: (store: Store) => Store;
  readonly endpoints?: readonly Endpoint[];
}

export type TestAuth = Awaited<ReturnType<typeof createTestAuth>>;

/** Everything behind the HTTP handler, over a database in memory, with the user alice. Close it after the test. */
export async function createTestAuth({ settings: given = {}, wrapStore = (s) => s, endpoints }: TestAuthOptions = {}) {
  const clock = createTestClock();
  const events: AuthEvent[] = [];
  const errors: unknown[] = [];
  const emit = (event: AuthEvent) => void events.push(event);
  const settings = resolveSettings(given);
  const { accessTokenLifetime, leeway, maxStaleness, algorithm, findUser, verifyCredentials } = settings;

  const store = wrapStore(sqliteStore({ path: ":memory:", now: clock.now }));
  await store.migrate();
  const keys = createKeySet(createHmacKey({ algorithm, secret: signingKey }));
  const passwords = createPasswordHasher({ memoryCost: 64, timeCost: 1 });
  const revocations = createRevocationIndex({ accessTokenLifetime, leeway, clock });
  const feed = createFeed({
    store: store.feed,
    index: revocations,
    clock,
    accessTokenLifetime,
    leeway,
    maxStaleness,
    emit,
  });
  await feed.start();

  const deps: HttpDeps = Object.freeze({
    settings,
    store,
    users:
      findUser === undefined
        ? createOwnUsers(store, passwords, settings)
        : createApplicationUsers(store, verifyCredentials, findUser),
    tokens: createTokens({ keys, clock, settings }),
    passwords,
    revocations,
    feed,
    clock,
    random: systemRandom,
    emit,
    csrfKey: new Uint8Array(32).fill(7),
  });
  const user = await createUser(deps, alice);
  if (user === null) throw new Error("alice exists already");
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
    deps,
    /** Whatever was answered with a 500. */
    errors,
    events,
    handler,
    keys,
    passwords,
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
      feed.stop();
      await store.close();
    },
  };
}
