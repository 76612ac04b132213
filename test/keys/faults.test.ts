import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { AuthError, StoreUnavailableError } from "../../src/core/errors.ts";
import type { Store } from "../../src/core/store/index.ts";
import { createKeks } from "../../src/crypto/keys/key-encryption.ts";
import { retireKey, rotateSecret } from "../../src/flows/keys/keys.ts";
import { findCookieSession } from "../../src/http/cookies/cookie-session.ts";
import { reportCsrfRefusal } from "../../src/http/cookies/csrf-report.ts";
import { createHttpHandler } from "../../src/http/router.ts";
import { settled } from "../support/manual-time.ts";
import { decode, hmacKey, type Installation, kek, newPem, openInstallation, otherKek } from "./nodes.ts";

const kidOf = (token: string) => String(decode(token).header["kid"]);

/** Retires the key that signed a token, with the given key encryption keys. */
const retireAtOnce = ({ commands }: Installation, token: string, keks = kek) =>
  retireKey(commands(), kidOf(token), {
    keks: createKeks(keks),
    isImmediate: true,
    client: {},
    signsInRing: true,
  });

/** A store of which some reads can be made to fail. */
function createFaultyStore() {
  const faults = { keys: false, feed: false, answer: Promise.resolve() };
  const failing =
    <A extends readonly unknown[], R>(part: "keys" | "feed", read: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (faults[part]) throw new StoreUnavailableError(`${part}.read: away`);
      const result = await read(...args);
      if (part === "feed") await faults.answer;
      return result;
    };
  const wrap = (own: Store): Store => ({
    ...own,
    keys: { ...own.keys, read: failing("keys", () => own.keys.read()) },
    feed: { ...own.feed, read: failing("feed", own.feed.read) },
  });
  return { faults, wrap };
}

describe("a node that can't read the newest keys", () => {
  it("refuses a key that was retired at once, also if it can't open the one that signs now", async () => {
    const installation = openInstallation();
    const node = await installation.start({ keyEncryptionKey: kek });
    const { access, refresh } = await node.logIn();
    await retireAtOnce(installation, access, `${otherKek},${kek}`);
    await installation.pass(2);
    expect(await node.accepts(access)).toBe(false);
    // It has no key left that signs. A 401 would log users out.
    await expect(node.refresh(refresh)).rejects.toThrow("unavailable");
    expect(node.events.filter(({ type }) => type === "keys_unreadable")).toHaveLength(1);
    expect(node.keys.isReadable()).toBe(false);
  });

  it("keeps the keys that were not retired", async () => {
    const installation = openInstallation();
    const signingKey = newPem();
    const node = await installation.start({ signingKey, keyEncryptionKey: kek });
    const ring = await installation.start({ keyEncryptionKey: kek });
    const [fixed, pair] = [await node.logIn(), await ring.logIn()];
    await retireAtOnce(installation, pair.access, `${otherKek},${kek}`);
    await installation.pass(2);
    expect([await node.accepts(pair.access), await node.accepts(fixed.access)]).toEqual([false, true]);
    expect(await node.refresh(pair.refresh)).toMatchObject({ access: expect.any(String) });
  });

  it("answers again when it can open the keys", async () => {
    const installation = openInstallation();
    const node = await installation.start({ keyEncryptionKey: kek });
    const { access, refresh } = await node.logIn();
    const sealed = await retireAtOnce(installation, access, `${otherKek},${kek}`);
    await installation.pass(2);
    await expect(node.refresh(refresh)).rejects.toThrow("unavailable");
    const next = "next" in sealed ? String(sealed.next?.kid) : "";
    await retireKey(installation.commands(), next, {
      keks: createKeks(kek),
      isImmediate: true,
      client: {},
      signsInRing: true,
    });
    await installation.pass(2);
    const pair = await node.refresh(refresh);
    expect(await node.accepts(pair.access)).toBe(true);
    expect(node.keys.isReadable()).toBe(true);
  });

  it("refuses every token when it has known for longer than maxStaleness that its keys are outdated", async () => {
    const installation = openInstallation();
    const { faults, wrap } = createFaultyStore();
    const node = await installation.start({ keyEncryptionKey: kek }, wrap);
    const { access, refresh } = await node.logIn();
    faults.keys = true;
    await retireAtOnce(installation, access);
    await installation.time.advance(5);
    expect(await node.accepts(access)).toBe(true);
    await installation.time.advance(6);
    await expect(async () => node.flows.authenticate(access)).rejects.toThrow("unavailable");
    await expect(node.refresh(refresh)).rejects.toThrow(StoreUnavailableError);
    expect(await node.health()).toEqual({ ok: false, reason: "the keys are not known" });
    faults.keys = false;
    await installation.time.advance(1);
    expect(await node.health()).toEqual({ ok: true });
    await expect(async () => node.flows.authenticate(access)).rejects.toThrow("token_invalid");
    expect(await node.refresh(refresh)).toMatchObject({ access: expect.any(String) });
  });

  it("does not take a token for a wrong one because its keys became outdated during a request", async () => {
    const installation = openInstallation();
    const { faults, wrap } = createFaultyStore();
    const node = await installation.start({ keyEncryptionKey: kek }, wrap);
    const { access, refresh } = await node.logIn();
    faults.keys = true;
    await retireAtOnce(installation, access);
    await installation.time.advance(11);
    // A logout would answer 200, and revoke nothing.
    expect(() => findCookieSession(node.httpDeps, { access, refresh })).toThrow("unavailable");
    const headers = { cookie: `__Host-Http-access=${access}` };
    reportCsrfRefusal(node.httpDeps, new AuthError("csrf_failed", "a test"), { headers, client: {} });
    expect(node.events.filter(({ type }) => type === "csrf_refused")).toEqual([
      expect.objectContaining({ reason: "a test" }),
    ]);
  });

  it("verifies access tokens while the database is away, for as long as maxStaleness allows", async () => {
    const installation = openInstallation();
    const { faults, wrap } = createFaultyStore();
    const node = await installation.start({ signingKey: hmacKey, maxStaleness: 600 }, wrap);
    const { access, refresh } = await node.logIn();
    faults.keys = true;
    faults.feed = true;
    await installation.time.advance(30);
    const handler = createHttpHandler(node.httpDeps);
    const verify = async (token: string) => {
      const headers = { "Content-Type": "application/json" };
      const request = { method: "POST", headers, body: JSON.stringify({ token }) };
      return (await handler.fetch(new Request("https://auth.example/api/token/verify/", request))).status;
    };
    expect(await verify(access)).toBe(200);
    // Another node may have a key for this one that it can't know.
    expect(await verify(refresh)).toBe(503);
  });
});

it("waits for no read of the keys until the feed was silent for ten seconds, even with a shorter maxStaleness", async () => {
  const installation = openInstallation();
  const { faults, wrap } = createFaultyStore();
  const node = await installation.start({ keyEncryptionKey: kek, maxStaleness: 1 }, wrap);
  faults.keys = true;
  faults.feed = true;
  await installation.time.advance(9);
  await node.keys.ready();
  await installation.time.advance(2);
  await expect(node.keys.ready()).rejects.toThrow(StoreUnavailableError);
});

describe("a node that looks for revocations because the feed is stale", () => {
  async function startNode(maxStaleness: number) {
    const installation = openInstallation();
    const { faults, wrap } = createFaultyStore();
    const node = await installation.start({ keyEncryptionKey: kek, onStale: "lookup", maxStaleness }, wrap);
    return { installation, faults, node, ...(await node.logIn()) };
  }

  it.each([
    [1, 1],
    [10, 10],
    [600, 10],
  ])("looks for its keys too: with a maxStaleness of %d s after %d s", async (maxStaleness, seconds) => {
    const { installation, faults, node, access, refresh } = await startNode(maxStaleness);
    faults.feed = true;
    await installation.time.advance(maxStaleness + 20);
    expect(await node.accepts(access)).toBe(true);
    await retireAtOnce(installation, access);
    await installation.time.advance(seconds + 0.1);
    expect(await node.accepts(access)).toBe(false);
    expect(await node.accepts((await node.refresh(refresh)).access)).toBe(true);
  });

  it("looks for its keys too after a suspension in which only the wall clock ran", async () => {
    const { installation, faults, node, access } = await startNode(10);
    faults.feed = true;
    await retireAtOnce(installation, access);
    installation.time.setWallClock(11);
    expect(await node.accepts(access)).toBe(false);
  });

  it("counts that time from the sending of the last read, not from its answer", async () => {
    const { installation, faults, node, access } = await startNode(1);
    let answer = () => {};
    faults.answer = new Promise((resolve) => {
      answer = resolve;
    });
    await installation.time.advance(0.25);
    await retireAtOnce(installation, access);
    await installation.time.advance(0.35);
    faults.feed = true;
    answer();
    await settled();
    await installation.time.advance(0.75);
    expect(await node.accepts(access)).toBe(false);
  });
});

describe("a node whose database has become another one", () => {
  it("follows a secret that has the name of the former one", async () => {
    const installation = openInstallation();
    const settings = { signingKey: newPem(), keyEncryptionKey: kek };
    const node = await installation.start(settings);
    const former = node.keys.current();
    const database = new DatabaseSync(installation.path);
    database.exec("DELETE FROM signing_keys WHERE kid = 'r1'; UPDATE installation SET keys_version = keys_version + 1");
    database.close();
    const other = await installation.start(settings);
    await installation.pass(2);
    expect(node.keys.current().names).toBe(former.names);
    const { refresh } = await other.logIn();
    expect(await node.refresh(refresh)).toMatchObject({ access: expect.any(String) });
  });

  it("can be started anew without the former key encryption key, if its keys and secrets are replaced at once", async () => {
    const installation = openInstallation();
    const { access } = await (await installation.start({ keyEncryptionKey: kek })).logIn();
    const options = { keks: createKeks(otherKek), isImmediate: true, client: {} };
    await expect(rotateSecret(installation.commands(), options)).rejects.toThrow(/^keyEncryptionKey lacks the key/);
    await retireAtOnce(installation, access, otherKek);
    await expect(installation.start({ keyEncryptionKey: otherKek })).rejects.toThrow(/^keyEncryptionKey lacks the key/);
    const gradual = rotateSecret(installation.commands(), { ...options, isImmediate: false });
    await expect(gradual).rejects.toThrow(/^keyEncryptionKey lacks the key/);
    await rotateSecret(installation.commands(), options);
    const node = await installation.start({ keyEncryptionKey: otherKek });
    const pair = await node.logIn();
    expect(await node.refresh(pair.refresh)).toMatchObject({ access: expect.any(String) });
  });

  it("refuses a secret that was retired at once, also if the database's clock is set back", async () => {
    const installation = openInstallation();
    const settings = { signingKey: newPem(), secret: hmacKey, keyEncryptionKey: kek };
    const { refresh } = await (await installation.start(settings)).logIn();
    await rotateSecret(installation.commands(), { keks: createKeks(kek), isImmediate: true, client: {} });
    installation.time.setWallClock(-30);
    const node = await installation.start(settings);
    expect(node.keys.current().csrfKeys).toHaveLength(1);
    await expect(node.refresh(refresh)).rejects.toThrow("token_invalid");
  });
});
