import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createDeviceToken, openDeviceToken } from "../../src/crypto/device-tokens.ts";
import { createKeks } from "../../src/crypto/keys/key-encryption.ts";
import { adoptRefreshKey, retireKey, rotateKeys, rotateSecret } from "../../src/flows/keys/keys.ts";
import { createHttpHandler } from "../../src/http/router.ts";
import { decode, hmacKey, kek, newPem, openInstallation, type TestNode } from "./nodes.ts";

const kidOf = (token: string) => decode(token).header["kid"];

/** Signs other claims with the HMAC key, as a service does that still has it. */
function forge(token: string, claims: object): string {
  const [header = ""] = token.split(".");
  const payload = Buffer.from(JSON.stringify({ ...decode(token).payload, ...claims })).toString("base64url");
  return `${header}.${payload}.${createHmac("sha256", hmacKey).update(`${header}.${payload}`).digest("base64url")}`;
}

/** A browser with cookies, as far as this test needs one. */
function createBrowser(node: TestNode) {
  const handler = createHttpHandler(node.httpDeps);
  const cookies = new Map<string, string>();
  return {
    cookies,
    async send(on: TestNode, method: string, path: string, body?: object): Promise<Response> {
      const headers = new Headers({ Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") });
      headers.set("Sec-Fetch-Site", "same-origin");
      const token = cookies.get("__Host-csrftoken");
      if (token !== undefined) headers.set("X-CSRFToken", token);
      if (body !== undefined) headers.set("Content-Type", "application/json");
      const target = on === node ? handler : createHttpHandler(on.httpDeps);
      const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const response = await target.fetch(new Request(`https://auth.example${path}`, init));
      for (const line of response.headers.getSetCookie()) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === "") cookies.delete(name);
        else cookies.set(name, value);
      }
      return response;
    },
  };
}

describe("moving from an HMAC signing key to a private key", () => {
  it("logs no user out: both kinds of tokens are accepted on nodes of either setting while they are replaced", async () => {
    const installation = openInstallation({ isOfVersion01: true });
    const before = await installation.start({ signingKey: hmacKey, accessTokenLifetime: 600 });
    const old = await before.logIn();
    const after = await installation.start({ signingKey: newPem(), secret: hmacKey, accessTokenLifetime: 600 });
    expect(await after.accepts(old.access)).toBe(true);
    const next = await after.refresh(old.refresh);
    expect(decode(next.access).header["alg"]).toBe("ES256");
    // Still in the form of version 0.1, whose nodes may run.
    expect(kidOf(next.refresh)).toBe(kidOf(old.refresh));
    // A node that was not replaced yet refuses the new access token, and the client refreshes there.
    expect(await before.accepts(next.access)).toBe(false);
    const third = await before.refresh(next.refresh);
    expect(await before.accepts(third.access)).toBe(true);
    expect(await after.accepts(third.access)).toBe(true);
  });

  it("accepts access tokens of the former key until the last one has expired, and not for ever", async () => {
    const installation = openInstallation({ isOfVersion01: true });
    const settings = { accessTokenLifetime: 600, leeway: 30 };
    const before = await installation.start({ ...settings, signingKey: hmacKey });
    const after = await installation.start({ ...settings, signingKey: newPem(), secret: hmacKey });
    const { access, refresh } = await before.logIn();
    await installation.pass(600);
    const now = installation.time.clock.now();
    const forged = forge(access, { iat: now, exp: now + 500 });
    expect(await after.accepts(forged)).toBe(true);
    await installation.pass(30 + 60 + 2);
    // Who still has the former key can't make access tokens any more.
    expect(await after.accepts(forged)).toBe(false);
    // Refresh tokens are accepted as long as nodes of version 0.1 may make them.
    const next = await after.refresh(refresh);
    expect(kidOf(next.refresh)).toBe(kidOf(refresh));
    expect(await after.accepts(next.access)).toBe(true);
  });

  it("gives refresh tokens their own key when it is adopted, and refuses the former form when it must have expired", async () => {
    const installation = openInstallation({ isOfVersion01: true });
    const settings = { signingKey: newPem(), secret: hmacKey, refreshTokenLifetime: 7_200 };
    const node = await installation.start(settings);
    const [one, two] = [await node.logIn(), await node.logIn()];
    await adoptRefreshKey(installation.commands(), {});
    await installation.pass(7_000);
    expect(kidOf((await node.refresh(one.refresh)).refresh)).toBe("r1");
    await installation.pass(202);
    const now = installation.time.clock.now();
    await expect(node.flows.refresh(forge(two.refresh, { iat: now, exp: now + 60 }))).rejects.toThrow("token_invalid");
  });

  it("signs with a secret in the key ring, too, and a rotation from secret to secret loses no session", async () => {
    const installation = openInstallation();
    const settings = { keyEncryptionKey: kek, algorithm: "HS512" as const };
    const [one, two] = [await installation.start(settings), await installation.start(settings)];
    const { access, refresh } = await one.logIn();
    expect(decode(access).header["alg"]).toBe("HS512");
    expect(await two.accepts(access)).toBe(true);
    expect(kidOf((await two.refresh(refresh)).refresh)).toBe("r1");
    expect(two.httpDeps.keys.current().jwks.body).toBe('{"keys":[]}');
  });

  it("replaces one HMAC signing key in the settings by another, and no session is lost", async () => {
    const installation = openInstallation();
    const before = await installation.start({ signingKey: hmacKey });
    const { access, refresh } = await before.logIn();
    const after = await installation.start({ signingKey: `${hmacKey}, the next`, secret: hmacKey });
    expect(await after.accepts(access)).toBe(true);
    const next = await after.refresh(refresh);
    expect(kidOf(next.access)).not.toBe(kidOf(access));
    expect(await after.accepts(next.access)).toBe(true);
    expect(kidOf(next.refresh)).toBe("r1");
  });
});

describe("cookies and known devices", () => {
  it("keep working through a move to a private key, a rotation and a retirement at once", async () => {
    const installation = openInstallation();
    const keks = createKeks(kek);
    const hmac = await installation.start({ signingKey: hmacKey });
    await hmac.flows.createUser({ username: "bob", password: "correct horse battery staple" });
    const browser = createBrowser(hmac);
    const credentials = { username: "bob", password: "correct horse battery staple" };
    expect((await browser.send(hmac, "GET", "/api/auth/csrf/")).status).toBe(200);
    expect((await browser.send(hmac, "POST", "/api/auth/login/", credentials)).status).toBe(200);
    const device = browser.cookies.get("__Secure-device") ?? "";

    const ring = await installation.start({ keyEncryptionKey: kek, secret: hmacKey });
    const other = await installation.start({ keyEncryptionKey: kek, secret: hmacKey });
    const use = async (node: TestNode) => {
      expect((await browser.send(node, "POST", "/api/auth/refresh/", {})).status).toBe(200);
      expect((await browser.send(node, "GET", "/api/auth/me/")).status).toBe(200);
      const label = await browser.send(node, "POST", "/api/auth/logout/", { scope: "others" });
      expect(label.status).toBe(200);
      const isKnown = node.keys.current().deviceKeys.some((key) => openDeviceToken(key, "bob", device) !== null);
      expect(isKnown).toBe(true);
    };
    await use(ring);
    const { next } = (await rotateKeys(installation.commands(), { keks, isImmediate: true, client: {} })) as {
      next: { kid: string };
    };
    await installation.pass(1);
    await use(other);
    await retireKey(installation.commands(), next.kid, { keks, isImmediate: true, client: {}, signsInRing: true });
    await installation.pass(1);
    await use(ring);
    await rotateSecret(installation.commands(), { keks, isImmediate: false, client: {} });
    await installation.pass(1);
    await use(other);
    await installation.pass(61);
    // The CSRF token of the former secret, and the next one by the next.
    await use(ring);
    await use(other);
    expect(decode(browser.cookies.get("__Secure-refresh") ?? "").header["kid"]).toBe("r2");
    const [deviceKey] = other.keys.current().deviceKeys;
    const made = createDeviceToken(deviceKey, "bob", { userId: "1", userEpoch: 0, issuedAt: 1 });
    expect(openDeviceToken(ring.keys.current().deviceKeys[0], "bob", made)?.userId).toBe("1");
  });

  it("are accepted from a browser that comes back days after a rotation of the secret", async () => {
    const installation = openInstallation();
    const settings = { keyEncryptionKey: kek };
    const node = await installation.start(settings);
    await node.flows.createUser({ username: "bob", password: "correct horse battery staple" });
    const browser = createBrowser(node);
    await browser.send(node, "GET", "/api/auth/csrf/");
    await browser.send(node, "POST", "/api/auth/login/", { username: "bob", password: "correct horse battery staple" });
    await rotateSecret(installation.commands(), { keks: createKeks(kek), isImmediate: false, client: {} });
    await installation.pass(10 * 86_400);
    // Its access cookie has expired, and both of its other tokens are the former secret's.
    expect((await browser.send(node, "POST", "/api/auth/refresh/", {})).status).toBe(200);
    expect((await browser.send(node, "GET", "/api/auth/me/")).status).toBe(200);
  });
});
