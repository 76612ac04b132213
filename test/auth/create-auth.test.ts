import { afterEach, describe, expect, it } from "vitest";
import {
  type AuthEvent,
  type AuthOptions,
  createAuth,
  SchemaVersionError,
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

describe("createAuth refuses what cannot work, with the fix,", () => {
  const create = (options: object) => () => createAuth({ store: newStore(), signingKey, ...options } as AuthOptions);

  it.each<[string, object, RegExp]>([
    ["no store", { store: undefined }, /^store: missing; take sqliteStore/],
    ["no key", { signingKey: undefined }, /^signingKey: missing; make one with/],
    ["a key shorter than its hash", { signingKey: "k".repeat(31) }, /^signingKey: .*32 bytes/],
    [
      "a key that is too short for HS512",
      { signingKey: "k".repeat(63), algorithm: "HS512" },
      /^signingKey: .*64 bytes/,
    ],
    ["a verifying key beside an HMAC key", { verifyingKey: "k".repeat(64) }, /^verifyingKey: HS256 verifies with/],
    ["an unknown setting", { acessTokenLifetime: 60 }, /did you mean accessTokenLifetime\?$/],
    ["a setting of the wrong kind", { leeway: "10s" }, /^leeway: must be whole seconds/],
    ["an onError that cannot be called", { onError: 3 }, /^onError: must be a function$/],
    ["an onLag that cannot be called", { onLag: "log" }, /^onLag: must be a function$/],
    ["two claims of one name", { userIdClaim: "jti" }, /jtiClaim/],
  ])("%s", (_, options, message) => {
    expect(create(options)).toThrow(TypeError);
    expect(create(options)).toThrow(message);
  });

  it("and shows no key in what it says", () => {
    const planted = "pl4nted-key";
    for (const options of [{ signingKey: planted }, { signingKey, verifyingKey: planted }]) {
      expect(create(options)).toThrow(TypeError);
      expect(create(options)).not.toThrow(planted);
    }
  });
});

describe("a node", () => {
  it("accepts no access token before it is ready, and says that it is not healthy", async () => {
    const store = newStore();
    await store.migrate();
    const auth = createAuth({ store, signingKey });
    const { access } = await auth.issue(await addUser(auth));
    await expect(auth.authenticate(bearer(access))).rejects.toMatchObject({ code: "unavailable" });
    const reason = "the revocations are not loaded";
    expect(await auth.health()).toEqual({ ok: false, reason });
    expect(auth.revocations().staleSeconds).toBe(Infinity);
    await auth.ready();
    expect(await auth.authenticate(bearer(access))).toMatchObject({ type: "access" });
    expect(await auth.health()).toEqual({ ok: true });
    expect(auth.revocations()).toEqual({ live: 0, staleSeconds: expect.any(Number) });
    auth.close();
  });

  it("is never ready over a database without its schema", async () => {
    const auth = createAuth({ store: newStore(), signingKey });
    await expect(auth.ready()).rejects.toBeInstanceOf(SchemaVersionError);
    expect(await auth.health()).toMatchObject({ ok: false });
    auth.close();
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
    auth.close();
  });

  it("that has grown stale says how old its knowledge is, or stays healthy where it may ask the store", async () => {
    const store = newStore();
    await store.migrate();
    let isAway = false;
    const read: typeof store.feed.read = async (options) => {
      if (isAway) throw new StoreUnavailableError("away");
      return store.feed.read(options);
    };
    const stale = { store: { ...store, feed: { ...store.feed, read } }, signingKey, maxStaleness: 1 };
    const [refusing, asking] = [createAuth(stale), createAuth({ ...stale, onStale: "lookup" })];
    await Promise.all([refusing.ready(), asking.ready()]);
    const { access } = await asking.issue(await addUser(asking));
    isAway = true;
    const reason = expect.stringMatching(/^the revocations are \d+ s old$/);
    await expect.poll(() => refusing.health(), { timeout: 5_000 }).toEqual({ ok: false, reason });
    expect(await asking.health()).toEqual({ ok: true });
    await expect(refusing.authenticate(bearer(access))).rejects.toMatchObject({ code: "unavailable" });
    expect(await asking.authenticate(bearer(access))).toMatchObject({ type: "access" });
    refusing.close();
    asking.close();
  });

  it("is not healthy once its store does not answer", async () => {
    const store = newStore();
    await store.migrate();
    const auth = createAuth({ store, signingKey });
    await auth.ready();
    await store.close();
    expect(await auth.health()).toEqual({ ok: false, reason: "the store does not answer" });
    auth.close();
  });

  it("counts the passwords that it was too busy to hash", async () => {
    const store = newStore();
    await store.migrate();
    const auth = createAuth({ store, signingKey, passwordHashConcurrency: 1, passwordQueueLimit: 0 });
    await auth.ready();
    const login = () => auth.login({ username: "nobody", password: "wrong" });
    const codes = (await Promise.allSettled([login(), login()])).map(
      (result) => "reason" in result && result.reason.code,
    );
    expect(codes.toSorted()).toEqual(["no_active_account", "unavailable"]);
    expect(auth.passwords()).toEqual({ inFlight: 0, waiting: 0, rejected: 1 });
    auth.close();
  });

  it("counts the revocations that it holds", async () => {
    const auth = await start();
    const userId = await addUser(auth);
    const { session } = await auth.issue(userId);
    await auth.logout({ sessionId: session.id, userId });
    expect(auth.revocations().live).toBe(1);
  });

  it("leaves the store open when it closes: it is not its own", async () => {
    const store = newStore();
    await store.migrate();
    const auth = createAuth({ store, signingKey });
    await auth.ready();
    auth.close();
    auth.close();
    expect(await store.users.list({ limit: 1 })).toEqual([]);
    await expect(auth.ready()).rejects.toThrow("stopped");
  });

  it("cannot be changed", async () => {
    const auth = await start();
    for (const part of [auth, auth.users, auth.sessions]) expect(Object.isFrozen(part)).toBe(true);
  });
});

describe("a listener", () => {
  it("hears every event until it is taken away", async () => {
    const auth = await start();
    const heard: AuthEvent["type"][] = [];
    const stop = auth.on((event) => heard.push(event.type));
    const userId = await addUser(auth);
    await auth.issue(userId);
    stop();
    stop();
    await auth.issue(userId);
    expect(heard).toEqual(["user_changed", "login"]);
  });

  it("keeps nothing from happening, and nothing from the others, by throwing", async () => {
    const auth = await start();
    const heard: AuthEvent["type"][] = [];
    auth.on(() => {
      throw new Error("boom");
    });
    auth.on((event) => heard.push(event.type));
    const { access } = await auth.issue(await addUser(auth));
    expect(await auth.authenticate(bearer(access))).toMatchObject({ type: "access" });
    expect(heard).toEqual(["user_changed", "login"]);
  });
});

describe("onError", () => {
  it("hears why a hook failed, while the client hears 503 and no more", async () => {
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

  it("hears nothing of refusals that are nobody's defect", async () => {
    const errors: unknown[] = [];
    const auth = await start({ onError: (error) => errors.push(error) });
    expect(await auth.admit({})).toMatchObject({ admitted: false, response: { status: 401 } });
    expect(errors).toEqual([]);
  });
});
