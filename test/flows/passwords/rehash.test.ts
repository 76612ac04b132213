import { createHash } from "node:crypto";
import { hash } from "@node-rs/argon2";
import { hash as bcrypt } from "@node-rs/bcrypt";
import { afterEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import type { Settings } from "../../../src/core/settings/settings.ts";
import type { Store } from "../../../src/core/store/index.ts";
import type { UserStore } from "../../../src/core/store/users.ts";
import type { AuthUser } from "../../../src/core/user.ts";
import { login } from "../../../src/flows/login.ts";
import { authenticate } from "../../../src/flows/tokens/authenticate.ts";
import { disableUser } from "../../../src/flows/users/users.ts";
import { alice, createTestAuth, type TestAuth, testStart, withSessions } from "../../support/auth.ts";
import { eventsOf, expectRefused, logIn } from "../flow.ts";

const client = { ip: "192.0.2.7" };

let auth: TestAuth;
afterEach(() => auth.close());

/** Starts with alice, whose stored hash is `encoded`. */
async function start(
  encoded: string,
  settings: Partial<Settings<AuthUser>> = {},
  wrapStore: (store: Store) => Store = (store) => store,
): Promise<void> {
  auth = await createTestAuth({ settings, wrapStore });
  await auth.store.users.setPassword(auth.user.id, encoded);
  auth.events.length = 0;
}

const withUsers = (store: Store, change: (users: UserStore) => Partial<UserStore>): Store => ({
  ...store,
  users: { ...store.users, ...change(store.users) },
});

const storedHash = async () => (await auth.store.users.findById(auth.user.id))?.passwordHash;
const hashWeakly = () => hash(alice.password, { memoryCost: 32, timeCost: 1 });
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const djangos = "pbkdf2_sha1$1000$abcdefghijklmnopqrstuv$pPaxJdc/I8uPjvkfuFn3JbjEDOw=";

describe("login with an outdated password hash", () => {
  it("replaces a hash with smaller parameters, emits password_rehashed, and revokes nothing", async () => {
    await start(await hashWeakly());
    const first = await logIn(auth, { client });
    const encoded = await storedHash();
    expect(encoded).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
    expect(eventsOf(auth, "user_changed")).toEqual([
      { type: "user_changed", time: testStart, userId: auth.user.id, change: "password_rehashed", client },
    ]);
    await logIn(auth);
    expect(await storedHash()).toBe(encoded);
    expect(await authenticate(auth.deps, first.pair.access)).toMatchObject({ sessionId: first.session.id });
  });

  it("keeps a hash with larger parameters", async () => {
    const encoded = await hash(alice.password, { memoryCost: 128, timeCost: 2 });
    await start(encoded);
    await logIn(auth);
    expect(await storedHash()).toBe(encoded);
    expect(eventsOf(auth, "user_changed")).toEqual([]);
  });

  it("keeps a Django hash while a client sends a space too many, and replaces it at an exact password", async () => {
    await start(djangos);
    for (const _ of [1, 2]) await login(auth.deps, { ...alice, password: `${alice.password} ` });
    expect(await storedHash()).toBe(djangos);
    await logIn(auth);
    expect(await storedHash()).toMatch(/^\$argon2id\$/);
    await expectRefused(login(auth.deps, { ...alice, password: `${alice.password} ` }), "no_active_account");
  });

  it.each([
    ["a slip after byte 72 of a long password", "x".repeat(100), `${"x".repeat(80)}y${"x".repeat(19)}`],
    ["the first 72 bytes of a longer password", "x".repeat(100), "x".repeat(72)],
    ["a password of 72 bytes", "é".repeat(36), "é".repeat(36)],
    ["a NUL, which repeats a short password", "abc", "abc\0abc"],
  ])("keeps a bcrypt hash of Django at a login with %s", async (_, real, typed) => {
    const encoded = `bcrypt$${await bcrypt(real, { cost: 4 })}`;
    await start(encoded);
    const as = (password: string) => login(auth.deps, { ...alice, password });
    expect((await as(typed)).user.id).toBe(auth.user.id);
    expect(await storedHash()).toBe(encoded);
    expect((await as(real)).user.id).toBe(auth.user.id);
  });

  it("keeps a PBKDF2 hash of Django at a login with a NUL after the password, which HMAC can't see", async () => {
    await start(djangos);
    await login(auth.deps, { ...alice, password: `${alice.password}\0` });
    expect(await storedHash()).toBe(djangos);
    await logIn(auth);
    expect(await storedHash()).toMatch(/^\$argon2id/);
  });

  it("replaces a bcrypt hash of Django at a password that it covers, and any bcrypt_sha256 hash", async () => {
    for (const [password, encoded] of [
      ["x".repeat(71), `bcrypt$${await bcrypt("x".repeat(71), { cost: 4 })}`],
      ["x".repeat(200), `bcrypt_sha256$${await bcrypt(sha256("x".repeat(200)), { cost: 4 })}`],
    ] as const) {
      await start(encoded);
      await login(auth.deps, { ...alice, password });
      expect(await storedHash()).toMatch(/^\$argon2id/);
      await auth.close();
    }
  });

  it("replaces a hash with an older pepper or without one by a hash with the current pepper", async () => {
    const passwordPeppers = ["new:0123456789abcdef", "old:fedcba9876543210"];
    await start("", { passwordPeppers: passwordPeppers.slice(1) });
    const ofOld = await auth.passwords.hash(alice.password);
    for (const encoded of [ofOld, await hash(alice.password, { memoryCost: 64, timeCost: 1 })]) {
      await auth.close();
      await start(encoded, { passwordPeppers });
      await logIn(auth);
      expect(await storedHash()).toContain(",keyid=bmV3$");
    }
    await auth.close();
    await start(ofOld, { passwordPeppers: passwordPeppers.slice(0, 1) });
    await expectRefused(logIn(auth), "unavailable", { reason: "pepper" });
    expect(await storedHash()).toBe(ofOld);
  });

  it("keeps the hash if the password is wrong or the user is disabled", async () => {
    await start(djangos);
    await expectRefused(login(auth.deps, { ...alice, password: "wrong" }), "no_active_account");
    await disableUser(auth.deps, auth.user.id);
    await expectRefused(logIn(auth), "no_active_account");
    expect(await storedHash()).toBe(djangos);
  });
});

describe("rehashPassword", () => {
  it("leaves an outdated hash to a later login, and emits no rehash_failed, if the hash queue is busy", async () => {
    const settings = { passwordHashConcurrency: 1, passwordMemoryCost: 19_456 };
    let others: Promise<unknown> = Promise.resolve();
    await start(djangos, settings, (store) =>
      withSessions(store, (sessions) => ({
        create: async (session, audit) => {
          const created = await sessions.create(session, audit);
          others = auth.passwords.hash("another user's password");
          return created;
        },
      })),
    );
    await logIn(auth);
    await others;
    expect(await storedHash()).toBe(djangos);
    expect(auth.passwords.load()).toEqual({ inFlight: 0, waiting: 0, rejected: 0 });
    expect(auth.events.map(({ type }) => type)).toEqual(["login"]);
  });

  it("does not overwrite a password that was changed during the login", async () => {
    const reset = await hashWeakly();
    await start(djangos, {}, (store) =>
      withUsers(store, (users) => ({
        replacePasswordHash: async (id, hashes, audit) => {
          await users.setPassword(id, reset);
          return users.replacePasswordHash(id, hashes, audit);
        },
      })),
    );
    await logIn(auth);
    expect(await storedHash()).toBe(reset);
    expect(eventsOf(auth, "user_changed")).toEqual([]);
  });

  it("emits rehash_failed if the store fails, and the login succeeds", async () => {
    await start(djangos, {}, (store) =>
      withUsers(store, () => ({
        replacePasswordHash: () => Promise.reject(new StoreUnavailableError("users.replacePasswordHash")),
      })),
    );
    const { session } = await logIn(auth, { client });
    expect(session.userId).toBe(auth.user.id);
    expect(eventsOf(auth, "rehash_failed")).toEqual([
      { type: "rehash_failed", time: testStart, userId: auth.user.id, reason: "StoreUnavailableError", client },
    ]);
  });
});
