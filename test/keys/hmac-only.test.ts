import { createHash, createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createDeps } from "../../src/create-deps.ts";
import { adoptRefreshKey } from "../../src/flows/keys/keys.ts";
import { decode, hmacKey, openInstallation } from "./nodes.ts";

const kid = createHash("sha256").update(`HS256\0${hmacKey}`).digest("hex").slice(0, 16);

/** Verifies as a service does that shares the HMAC key. */
function isSignedWith(secret: string, token: string): boolean {
  const [header, payload, signature] = token.split(".");
  return createHmac("sha256", secret).update(`${header}.${payload}`).digest("base64url") === signature;
}

describe("an installation with nothing but an HMAC signing key", () => {
  it("signs access tokens as version 0.1 does, and verifies them before it has read any key from the database", async () => {
    const installation = openInstallation();
    const first = await installation.start({ signingKey: hmacKey });
    const { access } = await first.logIn();
    expect(decode(access).header).toEqual({ alg: "HS256", typ: "JWT", kid });
    expect(isSignedWith(hmacKey, access)).toBe(true);

    let reads = 0;
    const second = await installation.start({ signingKey: hmacKey }, (own) => ({
      ...own,
      keys: { ...own.keys, read: () => (reads++ === 0 ? own.keys.read() : Promise.reject(new Error("no read"))) },
    }));
    expect(second.keys.current().tokens.access.kid).toBe(kid);
    expect(await second.accepts(access)).toBe(true);
    expect(reads).toBe(1);
  });

  it("verifies access tokens without any load", async () => {
    const installation = openInstallation();
    const { access } = await (await installation.start({ signingKey: hmacKey })).logIn();
    const { keys, deps } = createDeps({ store: installation.store, signingKey: hmacKey }, () => {}, {
      clock: installation.time.clock,
      schedule: installation.time.schedule,
    });
    expect(deps.tokens.verifyAccess(access).userId).toBe("1");
    expect(keys.current().version).toBe(-1);
  });

  it("writes nothing about keys to the database, and adds no event", async () => {
    const installation = openInstallation();
    const node = await installation.start({ signingKey: hmacKey });
    await node.logIn();
    expect(await installation.store.keys.read()).toMatchObject({ version: 0, keys: [] });
    expect(node.events.map(({ type }) => type).filter((type) => /key|secret/.test(type))).toEqual([]);
    expect(node.keys.current().jwks.body).toBe('{"keys":[]}');
  });

  it("signs refresh tokens in a new database with a key that no service can have", async () => {
    const installation = openInstallation();
    const node = await installation.start({ signingKey: hmacKey, issuer: "https://id.example", audience: "api" });
    const { refresh } = await node.logIn();
    expect(decode(refresh).header).toEqual({ alg: "HS256", typ: "JWT", kid: "r1" });
    expect(decode(refresh).payload).not.toHaveProperty("iss");
    expect(isSignedWith(hmacKey, refresh)).toBe(false);
    const next = await node.refresh(refresh);
    expect(decode(next.refresh).header["kid"]).toBe("r1");
  });

  it("refuses in a new database a refresh token that a service with the same secret made in the form of version 0.1", async () => {
    const installation = openInstallation();
    const node = await installation.start({ signingKey: hmacKey });
    const { access } = await node.logIn();
    const { user_id, sid, ue, iat, exp } = decode(access).payload;
    const secret = Buffer.alloc(32, 1);
    const jti = createHash("sha256").update("jti").update(secret).digest("hex").slice(0, 32);
    const claims = {
      token_type: "refresh",
      user_id,
      sid,
      ue,
      iat,
      exp,
      jti,
      gen: 0,
      secret: secret.toString("base64url"),
    };
    const parts = [{ alg: "HS256", typ: "JWT", kid }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString("base64url"),
    );
    const signature = createHmac("sha256", hmacKey).update(parts.join(".")).digest("base64url");
    await expect(node.refresh([...parts, signature].join("."))).rejects.toMatchObject({ code: "token_invalid" });
    expect(await node.accepts(access)).toBe(true);
  });

  it("signs refresh tokens as version 0.1 does while nodes of that version may run, until keys adopt", async () => {
    const installation = openInstallation({ isOfVersion01: true });
    const settings = { signingKey: hmacKey, issuer: "https://id.example", audience: "api" };
    const [one, two] = [await installation.start(settings), await installation.start(settings)];
    const old = (await one.logIn()).refresh;
    expect(decode(old).header).toEqual({ alg: "HS256", typ: "JWT", kid });
    expect(decode(old).payload).toMatchObject({ iss: "https://id.example", aud: "api" });
    expect(isSignedWith(hmacKey, old)).toBe(true);

    expect(await adoptRefreshKey(installation.commands(), {})).toEqual({ isNew: true });
    expect(await adoptRefreshKey(installation.commands(), {})).toEqual({ isNew: false });
    await installation.pass(1);
    const next = (await two.refresh(old)).refresh;
    expect(decode(next).header["kid"]).toBe("r1");
    expect(isSignedWith(hmacKey, next)).toBe(false);
    expect(decode((await one.refresh(next)).refresh).header["kid"]).toBe("r1");
  });

  it("accepts a refresh token of the new form on a node that has not heard of the adoption yet", async () => {
    const installation = openInstallation({ isOfVersion01: true });
    const late = await installation.start({ signingKey: hmacKey });
    await adoptRefreshKey(installation.commands(), {});
    const { refresh } = await (await installation.start({ signingKey: hmacKey })).logIn();
    expect(decode(refresh).header["kid"]).toBe("r1");
    expect(late.keys.current().tokens.refresh.kid).toBe(kid);
    expect(await late.refresh(refresh)).toMatchObject({ access: expect.any(String) });
  });

  it("refuses refresh tokens of the form of version 0.1 when the last one has expired since the adoption", async () => {
    const installation = openInstallation({ isOfVersion01: true });
    const node = await installation.start({ signingKey: hmacKey, refreshTokenLifetime: 3_600, leeway: 300 });
    await adoptRefreshKey(installation.commands(), {});
    await installation.pass(1);
    // A service that shares the HMAC key forges one, with any times.
    const forge = () => {
      const now = installation.time.clock.now();
      const { payload } = decode(forgedFrom);
      const claims = { ...payload, iat: now, exp: now + 600 };
      const text = [{ alg: "HS256", typ: "JWT", kid }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
        .join(".");
      return `${text}.${createHmac("sha256", hmacKey).update(text).digest("base64url")}`;
    };
    const forgedFrom = (await node.logIn()).refresh;
    expect(node.deps.tokens.verifyRefresh(forge()).generation).toBe(0);
    await installation.pass(3_590);
    expect(node.deps.tokens.verifyRefresh(forge()).generation).toBe(0);
    await installation.pass(15);
    expect(() => node.deps.tokens.verifyRefresh(forge())).toThrow("token_invalid: the key doesn't sign refresh tokens");
    expect(await node.accepts((await node.logIn()).access)).toBe(true);
  });
});
