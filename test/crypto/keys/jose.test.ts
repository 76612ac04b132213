import { compactVerify, createLocalJWKSet, importJWK, type JWK, jwtVerify, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { createHmacKey } from "../../../src/crypto/keys/hmac-key.ts";
import { toJwks } from "../../../src/crypto/keys/jwks.ts";
import { toSigningKey } from "../../../src/crypto/keys/key-material.ts";
import { createKeySet } from "../../../src/crypto/keys/key-set.ts";
import { toProtectedHeader } from "../../../src/crypto/keys/signing-key.ts";
import { signCompact, verifyCompact } from "../../../src/crypto/tokens/jws.ts";
import { algorithms, materials } from "./sample-keys.ts";

const refresh = createHmacKey({ algorithm: "HS256", secret: "r".repeat(32), kid: "r1", use: "refresh" });
const payload = { iss: "https://id.example", aud: "api", exp: 4_000_000_000, name: "naïve 😀" };

describe.each(algorithms)("a token of %s", (algorithm) => {
  const { kid, key } = materials[algorithm];
  const access = toSigningKey(materials[algorithm], { use: "access" });
  const keys = createKeySet({ access, refresh });

  it("that we sign is verified by jose with our JWK Set", async () => {
    const set = createLocalJWKSet(JSON.parse(toJwks([materials[algorithm]]).body));
    const verified = await jwtVerify(signCompact(payload, access), set, { issuer: payload.iss, audience: "api" });
    expect(verified.payload).toEqual(payload);
    expect(verified.protectedHeader).toEqual({ alg: algorithm, typ: "JWT", kid });
    const accessHeader = toProtectedHeader(algorithm, "at+jwt", kid);
    await jwtVerify(signCompact(payload, access, accessHeader), set, { typ: "at+jwt" });
  });

  it("that jose signs is verified by us", async () => {
    const own = await importJWK({ ...key.export({ format: "jwk" }), alg: algorithm } as JWK);
    const token = await new SignJWT(payload).setProtectedHeader({ alg: algorithm, kid }).sign(own);
    expect(verifyCompact(token, keys)).toMatchObject({ payload, typ: "JWT" });
    const nameless = await new SignJWT(payload).setProtectedHeader({ alg: algorithm }).sign(own);
    expect(verifyCompact(nameless, keys).payload).toEqual(payload);
  });

  it("that was changed is refused by both", async () => {
    const set = createLocalJWKSet(JSON.parse(toJwks([materials[algorithm]]).body));
    const [header, , signature] = signCompact(payload, access).split(".");
    const changed = `${header}.${Buffer.from(JSON.stringify({ ...payload, aud: "x" })).toString("base64url")}.${signature}`;
    await expect(compactVerify(changed, set)).rejects.toThrow("signature verification failed");
    expect(() => verifyCompact(changed, keys)).toThrow();
  });
});
