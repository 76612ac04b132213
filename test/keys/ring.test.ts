import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { SettingError } from "../../src/core/settings/setting-error.ts";
import { createKeks } from "../../src/crypto/keys/key-encryption.ts";
import { generateKeyMaterial, toPublicJwk } from "../../src/crypto/keys/key-material.ts";
import {
  adoptRefreshKey,
  type KeyDeps,
  retireKey,
  rewrapKeys,
  rotateKeys,
  rotateSecret,
} from "../../src/flows/keys/keys.ts";
import type { NextKey, RetiredKeys, RotatedKeys } from "../../src/flows/keys/rules.ts";
import { decode, hmacKey, kek, newPem, openInstallation, otherKek } from "./nodes.ts";

const options = { keks: createKeks(kek), isImmediate: false, client: {} };
const rotate = async (deps: KeyDeps, isImmediate = false) =>
  (await rotateKeys(deps, { ...options, isImmediate })) as RotatedKeys;
const retire = async (deps: KeyDeps, kid: string, isImmediate = false) =>
  (await retireKey(deps, kid, { ...options, isImmediate, signsInRing: true })) as RetiredKeys;

const kidOf = (token: string) => decode(token).header["kid"];

describe("the key ring", () => {
  it("gets one key and one secret, however many nodes start over an empty database at once", async () => {
    const installation = openInstallation();
    await installation.prepare();
    const nodes = await Promise.all(Array.from({ length: 6 }, () => installation.start({ keyEncryptionKey: kek })));
    const { keys } = await installation.store.keys.read();
    expect(keys.map(({ use, algorithm }) => `${use} ${algorithm}`).sort()).toEqual(["access ES256", "secret HS256"]);
    const kids = nodes.map(({ keys }) => keys.current().tokens.access.kid);
    expect(new Set(kids)).toEqual(new Set(keys.filter(({ use }) => use === "access").map(({ kid }) => kid)));
    const [one, two] = [nodes[0], nodes[5]];
    const pair = await one?.logIn();
    expect(await two?.accepts(pair?.access ?? "")).toBe(true);
    expect(await two?.refresh(pair?.refresh ?? "")).toMatchObject({ access: expect.any(String) });
    const added = nodes.flatMap(({ events }) => events.filter(({ type }) => type === "key_added"));
    expect(added).toHaveLength(1);
  });

  it("publishes the public halves of its keys, and nothing else", async () => {
    const installation = openInstallation();
    const node = await installation.start({ keyEncryptionKey: kek });
    const jwks = JSON.parse(node.httpDeps.keys.current().jwks.body);
    expect(jwks.keys).toHaveLength(1);
    expect(Object.keys(jwks.keys[0]).sort()).toEqual(["alg", "crv", "kid", "kty", "use", "x", "y"]);
    expect(jwks.keys[0].kid).toBe(node.keys.current().tokens.access.kid);
  });

  it("holds no key that the database alone could open", async () => {
    const installation = openInstallation();
    await installation.start({ keyEncryptionKey: kek });
    const { keys } = await installation.store.keys.read();
    for (const { sealed, kekId } of keys) {
      expect(kekId).toBe("2026");
      expect(Buffer.from(sealed ?? []).toString("latin1")).not.toContain("PRIVATE KEY");
    }
  });

  it("never uses a public key that was written to the database", async () => {
    const installation = openInstallation();
    const { keys } = await installation.start({ keyEncryptionKey: kek });
    const body = keys.current().jwks.body;
    const forged = JSON.stringify(toPublicJwk(generateKeyMaterial("ES256")));
    const database = new DatabaseSync(installation.path);
    database.prepare("UPDATE signing_keys SET public_jwk = ? WHERE use = 'access'").run(forged);
    database.exec(
      "INSERT INTO signing_keys (kid, use, alg, public_jwk, created_at, signs_from) " +
        "SELECT 'forged', use, alg, public_jwk, created_at, signs_from FROM signing_keys WHERE use = 'access'",
    );
    database.close();
    const other = await installation.start({ keyEncryptionKey: kek });
    expect(other.keys.current().jwks.body).toBe(body);
  });

  it("is followed through a rotation by two nodes without a restart, and no token is refused at any second", async () => {
    const installation = openInstallation();
    const settings = { keyEncryptionKey: kek, accessTokenLifetime: 120, issuer: "https://id.example", audience: "api" };
    const nodes = [await installation.start(settings), await installation.start(settings)] as const;
    const [one, two] = nodes;
    const former = one.keys.current().tokens.access.kid;
    let { refresh } = await one.logIn();
    const live: { token: string; until: number }[] = [];
    const signers = new Set<unknown>();
    const { next, replaced } = await rotate(installation.commands());
    expect(next.signsFrom).toBe(installation.time.clock.now() + 360);
    // The command knows the longest lifetime that a node has used.
    expect(replaced).toEqual({ kid: former, retireAt: next.signsFrom + 120 + 60 });
    for (let second = 0; second < 700; second += 10) {
      const pair = await nodes[(second / 10) % 2 === 0 ? 0 : 1]?.refresh(refresh);
      refresh = pair?.refresh ?? "";
      const until = installation.time.clock.now() + 120;
      live.push({ token: pair?.access ?? "", until });
      signers.add(kidOf(pair?.access ?? ""));
      await installation.pass(10);
      for (const { token } of live.filter(({ until }) => until > installation.time.clock.now())) {
        for (const node of nodes) expect(await node.accepts(token), `${kidOf(token)} after ${second} s`).toBe(true);
      }
    }
    expect([...signers]).toEqual([former, next.kid]);
    // The key whose time is over is gone: from the JWKS, from the verifying keys, and its private part from the database.
    for (const node of nodes) {
      expect(node.keys.current().tokens.find({ alg: "ES256", kid: former })).toBeNull();
      expect(JSON.parse(node.httpDeps.keys.current().jwks.body).keys.map(({ kid }: { kid: string }) => kid)).toEqual([
        next.kid,
      ]);
    }
    const records = await installation.store.keys.read();
    expect(records.keys.find(({ kid }) => kid === former)).toMatchObject({ sealed: null, kekId: null });
    expect(two.keys.current().tokens.access.kid).toBe(next.kid);
  });

  it("publishes the next key on every node before it signs", async () => {
    const installation = openInstallation();
    const nodes = [
      await installation.start({ keyEncryptionKey: kek }),
      await installation.start({ keyEncryptionKey: kek }),
    ];
    const { next } = await rotate(installation.commands());
    await installation.pass(1);
    for (const node of nodes) {
      expect(node.httpDeps.keys.current().jwks.body).toContain(next.kid);
      expect(node.keys.current().tokens.access.kid).not.toBe(next.kid);
    }
    expect(nodes[0]?.httpDeps.keys.current().jwks).toEqual(nodes[1]?.httpDeps.keys.current().jwks);
  });

  it("retires a key at once on both nodes, also for tokens that they have verified before, and sessions continue", async () => {
    const installation = openInstallation();
    const [one, two] = [
      await installation.start({ keyEncryptionKey: kek }),
      await installation.start({ keyEncryptionKey: kek }),
    ];
    const { access, refresh } = await one.logIn();
    expect([await one.accepts(access), await two.accepts(access)]).toEqual([true, true]);
    const leaked = String(kidOf(access));
    const { retired, next } = await retire(installation.commands(), leaked, true);
    expect(retired.kid).toBe(leaked);
    await installation.pass(1);
    expect([await one.accepts(access), await two.accepts(access)]).toEqual([false, false]);
    expect(two.httpDeps.keys.current().jwks.body).not.toContain(leaked);
    const pair = await two.refresh(refresh);
    expect(kidOf(pair.access)).toBe(next?.kid);
    expect([await one.accepts(pair.access), await two.accepts(pair.access)]).toEqual([true, true]);
    const records = await installation.store.keys.read();
    expect(records.keys.find(({ kid }) => kid === leaked)).toMatchObject({ sealed: null, retiredAt: retired.retireAt });
  });

  it("keeps verified tokens in its cache when only a service was changed", async () => {
    const installation = openInstallation();
    const node = await installation.start({ keyEncryptionKey: kek });
    const before = node.keys.current();
    const hash = new Uint8Array(32);
    await installation.store.services.create({ name: "reports", scopes: ["feed"], credentialHash: hash, prefix: "x" });
    await installation.pass(1);
    expect(node.keys.current().version).toBe(before.version + 1);
    expect(node.keys.current().tokens).toBe(before.tokens);
  });

  it("moves from one private key in a setting to the key ring and back, and no session is lost", async () => {
    const installation = openInstallation();
    const pem = newPem("EdDSA");
    const fixed = await installation.start({ signingKey: pem, keyEncryptionKey: kek });
    const pair = await fixed.logIn();
    expect(decode(pair.access).header["alg"]).toBe("EdDSA");
    const ring = await installation.start({ keyEncryptionKey: kek });
    const second = await ring.refresh(pair.refresh);
    expect(decode(second.access).header["alg"]).toBe("ES256");
    await installation.pass(1);
    // The node that signs with its own key follows the ring, too.
    expect(await fixed.accepts(second.access)).toBe(true);
    expect(decode((await fixed.refresh(second.refresh)).access).header["alg"]).toBe("EdDSA");
  });
});

describe("the installation's secret", () => {
  it("is followed through a rotation by two nodes: r1 is accepted until it expires, r2 signs, cookies keep working", async () => {
    const installation = openInstallation();
    const settings = { keyEncryptionKey: kek, refreshTokenLifetime: 7_200 };
    const nodes = [await installation.start(settings), await installation.start(settings)] as const;
    const [one, two] = nodes;
    const old = await one.logIn();
    const idle = await one.logIn();
    const [csrfKey] = one.keys.current().csrfKeys;
    const [deviceKey] = one.keys.current().deviceKeys;
    const next = (await rotateSecret(installation.commands(), options)) as NextKey;
    expect(next).toMatchObject({ kid: "r2", signsFrom: installation.time.clock.now() + 60 });
    await installation.pass(1);
    // Every node knows it before one signs with it.
    for (const node of nodes) {
      expect(node.keys.current().tokens.refresh.kid).toBe("r1");
      expect(node.keys.current().tokens.find({ alg: "HS256", kid: "r2" })?.use).toBe("refresh");
    }
    await installation.pass(60);
    const pair = await two.refresh(old.refresh);
    expect([kidOf(old.refresh), kidOf(pair.refresh)]).toEqual(["r1", "r2"]);
    for (const node of nodes) {
      expect(node.keys.current().csrfKeys).toHaveLength(2);
      expect(node.keys.current().csrfKeys[1]).toEqual(csrfKey);
      expect(node.keys.current().deviceKeys[1]).toEqual(deviceKey);
    }
    await installation.pass(7_000);
    expect(kidOf((await one.refresh(idle.refresh)).refresh)).toBe("r2");
    expect(one.keys.current().csrfKeys).toHaveLength(2);
    await installation.pass(400);
    for (const node of nodes) {
      expect(node.keys.current().csrfKeys).toHaveLength(1);
      expect(node.keys.current().tokens.find({ alg: "HS256", kid: "r1" })).toBeNull();
    }
  });

  it("refuses what the former secret has signed after a rotation at once, also if that one is in a setting", async () => {
    const installation = openInstallation();
    const settings = { signingKey: newPem(), secret: hmacKey, keyEncryptionKey: kek };
    const nodes = [await installation.start(settings), await installation.start(settings)] as const;
    const { refresh, access } = await nodes[0].logIn();
    await rotateSecret(installation.commands(), { ...options, isImmediate: true });
    await installation.pass(2);
    for (const node of nodes) {
      await expect(node.refresh(refresh)).rejects.toThrow("token_invalid");
      expect(node.keys.current().csrfKeys).toHaveLength(1);
      // The key that signs access tokens has not leaked.
      expect(await node.accepts(access)).toBe(true);
    }
    const pair = await nodes[1].logIn();
    expect(kidOf(pair.refresh)).toBe("r2");
    // A node that starts now knows it, too.
    const third = await installation.start(settings);
    expect(kidOf((await third.refresh(pair.refresh)).refresh)).toBe("r2");
  });

  it("refuses to be rotated while refresh tokens are signed as in version 0.1", async () => {
    const installation = openInstallation({ isOfVersion01: true });
    await installation.start({ signingKey: hmacKey, keyEncryptionKey: kek });
    expect(await rotateSecret(installation.commands(), options)).toEqual({
      refusal: expect.stringContaining("run `tokenpair keys adopt` first"),
    });
    await adoptRefreshKey(installation.commands(), {});
    expect(await rotateSecret(installation.commands(), options)).toMatchObject({ kid: "r2" });
  });

  it("is not made anew for a database with sessions, whose secret was in a setting", async () => {
    const installation = openInstallation();
    const node = await installation.start({ signingKey: hmacKey });
    const { refresh } = await node.logIn();
    const starting = installation.start({ keyEncryptionKey: kek });
    await expect(starting).rejects.toThrow(SettingError);
    await expect(starting).rejects.toThrow(
      /^secret is missing: the sessions in the database were made with another one/,
    );
    const moved = await installation.start({ keyEncryptionKey: kek, secret: hmacKey });
    expect(kidOf((await moved.refresh(refresh)).refresh)).toBe("r1");
  });

  it("is not replaced by another one in a setting", async () => {
    const installation = openInstallation();
    await installation.start({ keyEncryptionKey: kek });
    await expect(installation.start({ keyEncryptionKey: kek, secret: hmacKey })).rejects.toThrow(
      /^secret differs from the secret "r1" in the database/,
    );
  });

  it("is asked for if the database is one of version 0.1 and the former signing key isn't set", async () => {
    const installation = openInstallation({ isOfVersion01: true });
    await expect(installation.start({ keyEncryptionKey: kek })).rejects.toThrow(
      /^secret is missing: the database has users of version 0\.1\. Set secret to the former signing key/,
    );
    await adoptRefreshKey(installation.commands(), {});
    expect((await installation.start({ keyEncryptionKey: kek })).keys.current().tokens.refresh.kid).toBe("r1");
  });
});

describe("the key encryption key", () => {
  it("stops the start by its id if it is missing or another one", async () => {
    const installation = openInstallation();
    await installation.start({ keyEncryptionKey: kek });
    const wrong = `2026:${Buffer.alloc(32, "a kek with the same id as before").toString("base64url")}`;
    for (const keyEncryptionKey of [otherKek, wrong]) {
      const starting = installation.start({ keyEncryptionKey });
      await expect(starting).rejects.toThrow(SettingError);
      await expect(starting).rejects.toThrow(/^keyEncryptionKey .*"2026"/);
    }
    await expect(installation.start({ signingKey: hmacKey })).rejects.toThrow(
      /^keyEncryptionKey is missing: the key "2026" encrypts the key /,
    );
    // A start that fails changes nothing.
    expect((await installation.store.keys.read()).version).toBe(1);
  });

  it("can be replaced while nodes run: both open, rewrap seals with the first, and the former one is removed", async () => {
    const installation = openInstallation();
    const node = await installation.start({ keyEncryptionKey: kek });
    const { access, refresh } = await node.logIn();
    const both = await installation.start({ keyEncryptionKey: `${otherKek},${kek}` });
    const keks = createKeks(`${otherKek},${kek}`);
    expect(await rewrapKeys(installation.commands(), { keks, client: {} })).toEqual({ keys: 2 });
    expect(await rewrapKeys(installation.commands(), { keks, client: {} })).toEqual({ keys: 0 });
    await installation.pass(1);
    const after = await installation.start({ keyEncryptionKey: otherKek });
    for (const each of [both, after]) expect(await each.accepts(access)).toBe(true);
    expect(kidOf((await after.refresh(refresh)).access)).toBe(kidOf(access));
  });

  it("keeps a running node on its keys, and is reported once, if another node has sealed with an unknown one", async () => {
    const installation = openInstallation();
    const node = await installation.start({ keyEncryptionKey: kek });
    const { access, refresh } = await node.logIn();
    await rewrapKeys(installation.commands(), { keks: createKeks(`${otherKek},${kek}`), client: {} });
    await installation.pass(60);
    expect(node.events.filter(({ type }) => type === "keys_unreadable")).toEqual([
      expect.objectContaining({ kekId: "2027", reason: expect.stringContaining('"2027"') }),
    ]);
    expect(node.keys.isReadable()).toBe(false);
    expect(await node.accepts(access)).toBe(true);
    expect(await node.refresh(refresh)).toMatchObject({ access: expect.any(String) });
  });
});
