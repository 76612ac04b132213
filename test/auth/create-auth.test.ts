import { generateKeyPairSync } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import {
  type AuthEvent,
  type AuthOptions,
  createAuth,
  SchemaVersionError,
  SettingError,
  StoreUnavailableError,
} from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { signingKey } from "../support/auth.ts";
import { type AuthNode, addUser, bearer, startNode } from "./node.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function start(...given: Parameters<typeof startNode>): Promise<AuthNode["auth"]> {
  const node = await startNode(...given);
  closing.push(node.close);
  return node.auth;
}

function newStore() {
  const store = sqliteStore(":memory:");
  closing.push(() => store.close());
  return store;
}

describe("createAuth", () => {
  const create = (options: object) => () => createAuth({ store: newStore(), signingKey, ...options } as AuthOptions);

  it.each<[what: string, options: object, message: RegExp]>([
    ["a missing store", { store: undefined }, /^store is missing\. Example: store: sqliteStore\("app\.db"\)$/],
    ["a store that is null", { store: null }, /^store is missing\. Example: store: sqliteStore/],
    ["a missing key", { signingKey: undefined }, /^signingKey is missing\. Create one with: openssl rand -hex 48$/],
    ["a key that is not a string", { signingKey: 12345678 }, /^signingKey must be a string or a Uint8Array\. Create/],
    ["a key shorter than its hash", { signingKey: "k".repeat(31) }, /^signingKey must .*32 bytes for HS256, got 31\./],
    [
      "a key that is too short for HS512",
      { signingKey: signingKey.slice(0, 63), algorithm: "HS512" },
      /^signingKey must .*64 bytes for HS512, got 63\./,
    ],
    ["a verifying key beside an HMAC key", { verifyingKey: "k".repeat(64) }, /^verifyingKey must not be set: /],
    ["an unknown setting", { acessTokenLifetime: 60 }, /Did you mean accessTokenLifetime\?$/],
    ["a setting of the wrong kind", { leeway: "10s" }, /^leeway must be a whole number of seconds .*, got "10s"\./],
    ["an onError that cannot be called", { onError: 3 }, /^onError must be a function, got 3$/],
    ["an onLag that cannot be called", { onLag: "log" }, /^onLag must be a function, got "log"$/],
    ["two claims of one name", { userIdClaim: "jti" }, /^jtiClaim must differ from every other claim, got "jti"\.$/],
    ["a claim with the name of a fixed one", { tokenTypeClaim: "exp" }, /^tokenTypeClaim must differ from every other/],
  ])("refuses %s, and says what to do", (_, options, message) => {
    expect(create(options)).toThrow(SettingError);
    expect(create(options)).toThrow(message);
  });

  it.each([
    [
      "a path",
      "/run/secrets/tokenpair/production/signing-key",
      /^signingKey looks like a path, .*Pass the file's content/,
    ],
    ["a URL", "https://vault.example/v1/secret/tokenpair", /^signingKey looks like a URL/],
    ["a placeholder", "change-me-change-me-change-me-change-me", /^signingKey is a placeholder/],
    ["a repeated character", "k".repeat(32), /^signingKey has fewer than 8 different characters/],
    ["repeated bytes", new Uint8Array(64), /^signingKey has fewer than 8 different characters/],
    ["half a PEM", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA", /^signingKey is not a complete PEM/],
  ])("refuses %s as the signing key, and doesn't quote it", (_, key, message) => {
    expect(create({ signingKey: key })).toThrow(message);
    expect(create({ signingKey: key })).not.toThrow(String(key));
  });

  it("shows no key in an error message", () => {
    const planted = "pl4nted-key";
    for (const options of [{ signingKey: planted }, { signingKey, verifyingKey: planted }]) {
      expect(create(options)).toThrow(SettingError);
      expect(create(options)).not.toThrow(planted);
    }
    expect(create({ signingKey: 12345678 })).not.toThrow("12345678");
  });
});

describe("a node", () => {
  it("accepts no access token before it is ready, and is not healthy until then", async () => {
    const store = newStore();
    await store.migrate();
    const auth = createAuth({ store, signingKey });
    const { access } = await auth.issue(await addUser(auth));
    await expect(auth.authenticate(bearer(access))).rejects.toMatchObject({ code: "unavailable" });
    const reason = "the revocations are not loaded";
    expect(await auth.health()).toEqual({ ok: false, reason });
    expect(auth.stats().revocations).toEqual({ live: 0, staleSeconds: Infinity });
    await auth.ready();
    expect(await auth.authenticate(bearer(access))).toMatchObject({ type: "access" });
    expect(await auth.health()).toEqual({ ok: true });
    const { revocations } = auth.stats();
    expect(revocations).toEqual({ live: 0, staleSeconds: expect.any(Number) });
    expect(revocations.staleSeconds).toBeLessThan(10);
    await auth.close();
  });

  it("never gets ready over a database without its schema", async () => {
    const auth = createAuth({ store: newStore(), signingKey });
    await expect(auth.ready()).rejects.toBeInstanceOf(SchemaVersionError);
    expect(await auth.health()).toMatchObject({ ok: false });
    await auth.close();
  });

  it("stays healthy over a database that a later version has migrated, and not over one of an older version", async () => {
    const store = newStore();
    await store.migrate();
    let fault: Error | null = null;
    const checkSchema = async () => {
      if (fault !== null) throw fault;
    };
    const auth = createAuth({ store: { ...store, checkSchema }, signingKey });
    await auth.ready();
    fault = new SchemaVersionError("the database has schema 99", { isNewer: true });
    expect(await auth.health()).toEqual({ ok: true });
    await expect(auth.ready()).rejects.toBe(fault);
    fault = new SchemaVersionError("the database has schema 0");
    expect(await auth.health()).toEqual({ ok: false, reason: "the database is older than this version" });
    await auth.close();
  });

  it("is not healthy when its revocations are too stale, unless it may look tokens up in the store", async () => {
    const store = newStore();
    await store.migrate();
    let isAway = false;
    const read: typeof store.feed.read = async (options) => {
      if (isAway) throw new StoreUnavailableError("away");
      return store.feed.read(options);
    };
    const stale = { store: { ...store, feed: { ...store.feed, read } }, signingKey, maxStaleness: 1 };
    const [refusing, lookingUp] = [createAuth(stale), createAuth({ ...stale, onStale: "lookup" })];
    await Promise.all([refusing.ready(), lookingUp.ready()]);
    const { access } = await lookingUp.issue(await addUser(lookingUp));
    isAway = true;
    const reason = expect.stringMatching(/^the revocations are \d+ s old$/);
    await expect.poll(() => refusing.health()).toEqual({ ok: false, reason });
    expect(await lookingUp.health()).toEqual({ ok: true });
    await expect(refusing.authenticate(bearer(access))).rejects.toMatchObject({ code: "unavailable" });
    expect(await lookingUp.authenticate(bearer(access))).toMatchObject({ type: "access" });
    await refusing.close();
    await lookingUp.close();
  });

  it("is not healthy when its store does not answer", async () => {
    const store = newStore();
    await store.migrate();
    const auth = createAuth({ store, signingKey });
    await auth.ready();
    await store.close();
    expect(await auth.health()).toEqual({ ok: false, reason: "the store does not answer" });
    await auth.close();
  });

  it("counts the passwords that it had no room to hash", async () => {
    const store = newStore();
    await store.migrate();
    const auth = createAuth({ store, signingKey, passwordHashConcurrency: 1, passwordQueueLimit: 0 });
    await auth.ready();
    const login = () => auth.login({ username: "nobody", password: "wrong" });
    const codes = (await Promise.allSettled([login(), login()])).map(
      (result) => "reason" in result && result.reason.code,
    );
    expect(codes.toSorted()).toEqual(["no_active_account", "unavailable"]);
    expect(auth.stats().passwords).toEqual({ inFlight: 0, waiting: 0, rejected: 1 });
    await auth.close();
  });

  it("counts the revocations that it holds in memory", async () => {
    const auth = await start();
    const userId = await addUser(auth);
    const { session } = await auth.issue(userId);
    await auth.logout({ sessionId: session.id, userId });
    expect(auth.stats().revocations.live).toBe(1);
  });

  it("returns the use of the store's connections with its stats, if the store has a pool", async () => {
    const store = newStore();
    await store.migrate();
    const usage = { open: 3, idle: 1, waiting: 0, refused: 2 };
    const pooled = createAuth({ store: { ...store, connections: () => usage }, signingKey });
    expect(pooled.stats().connections).toEqual(usage);
    const single = createAuth({ store, signingKey });
    expect(single.stats()).toEqual({
      revocations: expect.anything(),
      passwords: expect.anything(),
      readers: expect.anything(),
      store: { isWritable: true },
      keys: { kid: expect.stringMatching(/^[0-9a-f]{16}$/), algorithm: "HS256", age: null, isReadable: true },
    });
    await Promise.all([pooled.close(), single.close()]);
  });

  it("leaves the store open when it is closed, once or twice", async () => {
    const store = newStore();
    await store.migrate();
    const auth = createAuth({ store, signingKey });
    await auth.ready();
    await auth.close();
    await auth.close();
    expect(await store.users.list({ limit: 1 })).toEqual([]);
    await expect(auth.ready()).rejects.toThrow("stopped");
  });

  it("freezes the Auth and its parts", async () => {
    const auth = await start();
    for (const part of [auth, auth.users, auth.sessions, auth.throttle, auth.audit])
      expect(Object.isFrozen(part)).toBe(true);
  });
});

describe("a signing key that services verify", () => {
  const privateKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
    type: "pkcs8",
    format: "pem",
  });

  /** Returns the warnings of the process until the node is ready. */
  async function warningsOf(options: Partial<AuthOptions>): Promise<string[]> {
    const warnings: string[] = [];
    const note = ({ message }: Error) => warnings.push(message);
    process.on("warning", note);
    try {
      await start({ signingKey: String(privateKey), secret: signingKey, ...options });
      await new Promise((resolve) => process.nextTick(resolve));
    } finally {
      process.off("warning", note);
    }
    return warnings.filter((warning) => warning.startsWith("tokenpair: "));
  }

  it("makes the process warn if tokens say neither who signed them nor for whom", async () => {
    expect(await warningsOf({})).toEqual([
      expect.stringMatching(/^tokenpair: issuer and audience are not set\. .* Set both\.$/),
    ]);
  });

  it("causes no warning if issuer and audience are set", async () => {
    expect(await warningsOf({ issuer: "https://id.example", audience: "api" })).toEqual([]);
  });
});

describe("a listener", () => {
  it("gives a listener every event until the listener is removed", async () => {
    const auth = await start();
    const seen: AuthEvent["type"][] = [];
    const stop = auth.on((event) => seen.push(event.type));
    const userId = await addUser(auth);
    await auth.issue(userId);
    stop();
    stop();
    await auth.issue(userId);
    expect(seen).toEqual(["user_changed", "login"]);
  });

  it("ignores errors that a listener throws", async () => {
    const auth = await start();
    const seen: AuthEvent["type"][] = [];
    auth.on(() => {
      throw new Error("boom");
    });
    auth.on((event) => seen.push(event.type));
    const { access } = await auth.issue(await addUser(auth));
    expect(await auth.authenticate(bearer(access))).toMatchObject({ type: "access" });
    expect(seen).toEqual(["user_changed", "login"]);
  });
});

describe("onError", () => {
  it("calls onError with the reason why a hook failed, while the client only sees a 503", async () => {
    const errors: unknown[] = [];
    const cause = new Error("connect ECONNREFUSED postgres://app:hunter2@db");
    const claims = () => Promise.reject(cause);
    const auth = await start({ claims, onError: (error) => errors.push(error) });
    await auth.users.create({ username: "ada", password: "analytical engine" });
    const body = JSON.stringify({ username: "ada", password: "analytical engine" });
    const headers = { "Content-Type": "application/json" };
    const response = await auth.fetch(new Request("https://a.example/api/token/", { method: "POST", headers, body }));
    expect(response.status).toBe(503);
    expect(await response.text()).toBe('{"detail":"Service temporarily unavailable.","code":"unavailable"}');
    expect(errors).toMatchObject([{ code: "unavailable", reason: "claims failed", cause }]);
  });

  it("does not call onError for a refusal that is no defect", async () => {
    const errors: unknown[] = [];
    const auth = await start({ onError: (error) => errors.push(error) });
    expect(await auth.check({ headers: {} })).toMatchObject({ ok: false, response: { status: 401 } });
    expect(errors).toEqual([]);
  });
});
