import { createPublicKey, generateKeyPairSync, type JsonWebKey, randomBytes, verify } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../../src/core/errors.ts";
import type { Store } from "../../../src/core/store/index.ts";
import { createDeps } from "../../../src/create-deps.ts";
import { createKeks } from "../../../src/crypto/keys/key-encryption.ts";
import { rotateKeys } from "../../../src/flows/keys/keys.ts";
import { createHttpHandler } from "../../../src/http/router.ts";
import { createTestAuth, type TestAuth, type TestAuthOptions } from "../../support/auth.ts";

const path = "/.well-known/jwks.json";
const secret = "the secret of this installation, with more than 32 bytes";
const keyEncryptionKey = randomBytes(32).toString("base64url");
const ring: TestAuthOptions = { given: { signingKey: undefined }, settings: { keyEncryptionKey } };

let t: TestAuth;
async function start(options: TestAuthOptions = {}): Promise<void> {
  t = await createTestAuth(options);
}
afterEach(() => t.close());

type Jwk = Readonly<Record<string, string>>;
const getKeys = async () => ((await (await t.send("GET", path)).json()) as { keys: readonly Jwk[] }).keys;

describe("GET /.well-known/jwks.json", () => {
  it("answers an empty key set if all keys are HMAC secrets", async () => {
    await start({ given: { secret } });
    const response = await t.send("GET", path);
    expect(await response.json()).toEqual({ keys: [] });
    expect(response.headers.get("Content-Type")).toBe("application/jwk-set+json");
    expect(response.headers.get("Cache-Control")).toBe("public, max-age=300");
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
  });

  it.each([
    ["ES256", () => generateKeyPairSync("ec", { namedCurve: "P-256" }), "kty,crv,x,y,use,alg,kid"],
    ["ES384", () => generateKeyPairSync("ec", { namedCurve: "P-384" }), "kty,crv,x,y,use,alg,kid"],
    ["EdDSA", () => generateKeyPairSync("ed25519"), "kty,crv,x,use,alg,kid"],
    ["RS256", () => generateKeyPairSync("rsa", { modulusLength: 2_048 }), "kty,e,n,use,alg,kid"],
  ])("answers the public half of an %s key, and nothing of the secret", async (alg, generate, members) => {
    const pem = generate().privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    await start({ given: { signingKey: pem, secret } });
    const [jwk = {}, ...more] = await getKeys();
    expect([Object.keys(jwk).join(), jwk["alg"], jwk["use"], more]).toEqual([members, alg, "sig", []]);
  });

  it("answers the key that verifies an access token, by its kid", async () => {
    await start(ring);
    const [header = "", payload, signature = ""] = (await t.logIn()).access.split(".");
    const { alg, kid } = JSON.parse(Buffer.from(header, "base64url").toString()) as Jwk;
    const jwk = (await getKeys()).find((key) => key["kid"] === kid);
    expect([alg, jwk?.["alg"]]).toEqual(["ES256", "ES256"]);
    const key = createPublicKey({ key: jwk as JsonWebKey, format: "jwk" });
    const options = { key, dsaEncoding: "ieee-p1363" } as const;
    const signed = Buffer.from(`${header}.${payload}`);
    expect(verify("sha256", signed, options, Buffer.from(signature, "base64url"))).toBe(true);
  });

  it("answers the same bytes on every node, and on each node the new key soon after a rotation", async () => {
    await start(ring);
    const { clock, passwords, random } = { ...t.deps, ...t };
    const parts = createDeps({ store: t.store, keyEncryptionKey }, () => {}, {
      clock,
      passwords,
      random: t.deps.random,
    });
    const other = createHttpHandler(parts.httpDeps);
    const getBoth = async () => {
      const answers = [await t.send("GET", path), await other.fetch(new Request(`https://auth.example${path}`))];
      return Promise.all(answers.map(async (answer) => [await answer.text(), answer.headers.get("ETag")] as const));
    };
    const [before, beforeThere] = await getBoth();
    expect(before).toEqual(beforeThere);
    expect(JSON.parse(before?.[0] ?? "")).toEqual({ keys: [expect.objectContaining({ alg: "ES256" })] });

    const keks = createKeks(keyEncryptionKey);
    const rotated = await rotateKeys({ ...t.deps, random }, { isImmediate: false, keks, client: {} });
    expect(rotated).not.toHaveProperty("refusal");
    // Both nodes look themselves, because they have no news of the feed.
    t.clock.stall(11);
    for (const fetch of [t.handler.fetch, other.fetch]) await fetch(new Request("https://auth.example/api/auth/csrf/"));
    const [after, afterThere] = await getBoth();
    expect(after).toEqual(afterThere);
    expect(after?.[1]).not.toBe(before?.[1]);
    const kids = (JSON.parse(after?.[0] ?? "") as { keys: readonly Jwk[] }).keys.map(({ kid }) => kid);
    expect(kids).toHaveLength(2);
    expect(kids).toEqual([...kids].sort());
    await parts.auditQueue.stop();
  });

  it("answers 304 to the ETag that it gave, and HEAD with the same headers", async () => {
    await start();
    const first = await t.send("GET", path);
    const etag = first.headers.get("ETag") ?? "";
    expect(etag).toMatch(/^"[\w-]{22}"$/);
    const second = await t.send("GET", path, { headers: { "If-None-Match": etag } });
    expect([second.status, await second.text(), second.headers.get("ETag")]).toEqual([304, "", etag]);
    const head = await t.send("HEAD", path);
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect([...head.headers]).toEqual([...first.headers]);
    expect((await t.send("HEAD", path, { headers: { "If-None-Match": etag } })).status).toBe(304);
  });

  it("lets pages of every origin read it, cached or not", async () => {
    await start();
    const { headers } = await t.send("GET", path);
    for (const more of [{}, { "If-None-Match": headers.get("ETag") ?? "" }]) {
      const response = await t.send("GET", path, { headers: { Origin: "https://anyone.example", ...more } });
      expect(response.headers.get("Access-Control-Allow-Origin")).toBe("*");
      expect(response.headers.get("Access-Control-Allow-Credentials")).toBeNull();
    }
  });
});

describe("while the database is away", () => {
  let isDown = false;
  const withSwitch = (store: Store): Store => {
    const read: Store["keys"]["read"] = async () => {
      if (isDown) throw new StoreUnavailableError("away");
      return store.keys.read();
    };
    return { ...store, keys: { ...store.keys, read } };
  };
  const paths = [path, "/.well-known/oauth-authorization-server", "/api/schema/"];
  const statusOf = async (path: string) => (await t.send("GET", path)).status;

  it("the public keys that were loaded, the metadata and the OpenAPI document are still answered", async () => {
    isDown = false;
    await start({ ...ring, settings: { ...ring.settings, issuer: "https://id.example" }, wrapStore: withSwitch });
    const [jwk] = await getKeys();
    isDown = true;
    t.clock.stall(60);
    expect(await statusOf("/api/auth/csrf/")).toBe(503);
    for (const path of paths) expect([path, await statusOf(path)]).toEqual([path, 200]);
    expect(await getKeys()).toEqual([jwk]);
  });

  it("public keys that were never loaded are answered with 503, and loaded as soon as the database is back", async () => {
    isDown = true;
    await start({ ...ring, wrapStore: withSwitch });
    const response = await t.send("GET", path);
    expect([response.status, response.headers.get("Cache-Control")]).toEqual([503, "no-store"]);
    isDown = false;
    expect(await getKeys()).toHaveLength(1);
  });
});
