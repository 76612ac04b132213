/**
 * One access token with the claims of ours → its claims, by us and by others. Every call gets the token as a string that
 * nobody has read yet, as the header of a request is.
 */

import { createHmac, createSecretKey, type KeyObject, timingSafeEqual, verify } from "node:crypto";
import { createVerifier } from "fast-jwt";
import { verify as verifyByHono } from "hono/jwt";
import { importSPKI, jwtVerify } from "jose";
import jsonwebtoken from "jsonwebtoken";
import { systemClock } from "../src/core/runtime/clock.ts";
import { defaultSettings } from "../src/core/settings/settings.ts";
import { deriveSecrets } from "../src/crypto/keys/derived-keys.ts";
import { toDer } from "../src/crypto/keys/ecdsa-signature.ts";
import { createHmacKey } from "../src/crypto/keys/hmac-key.ts";
import { generateKeyMaterial, toSigningKey } from "../src/crypto/keys/key-material.ts";
import { createKeySet, type KeySet } from "../src/crypto/keys/key-set.ts";
import { createTokens, type Tokens } from "../src/crypto/tokens/tokens.ts";
import type { Contender } from "./harness/comparison.ts";
import type { Harness } from "./harness/harness.ts";
import { toFreshStrings } from "./harness/inputs.ts";
import { timeAsyncCalls, timeCalls, timings } from "./harness/timing.ts";

const secret = Buffer.alloc(64, "a secret of this benchmark only. ");
const hashes = { HS256: "sha256", HS384: "sha384", HS512: "sha512" } as const;
type Algorithm = keyof typeof hashes;

export async function run(harness: Harness): Promise<void> {
  for (const algorithm of ["HS256", "HS384", "HS512"] as const) await compareUncached(harness, algorithm);
  for (const algorithm of ["ES256", "EdDSA"] as const) await compareAsymmetric(harness, algorithm);
  await compareCached(harness);
}

async function compareUncached(harness: Harness, algorithm: Algorithm): Promise<void> {
  const tokens = createOurs(toHmacKeys(algorithm), 0);
  const createInputs = toFreshStrings([mint(tokens)]);
  const key = createSecretKey(secret);
  const byFastJwt = createVerifier({ key: secret, algorithms: [algorithm], cache: false });
  const sync = (call: (token: string) => unknown): Contender => timeCalls(call, createInputs, harness);
  const async = (call: (token: string) => Promise<unknown>): Contender => timeAsyncCalls(call, createInputs, harness);
  const results = await harness.compare({
    title: `${algorithm}, nothing cached`,
    ...timings,
    baseline: "fast-jwt",
    contenders: {
      tokenpair: sync((token) => tokens.verifyAccess(token)),
      "fast-jwt": sync((token) => byFastJwt(token)),
      jsonwebtoken: sync((token) => jsonwebtoken.verify(token, key, { algorithms: [algorithm] })),
      jose: async((token) => jwtVerify(token, key, { algorithms: [algorithm] })),
      "hono/jwt": async((token) => verifyByHono(token, secret.toString(), algorithm)),
      "node:crypto alone": sync((token) => verifyMac(token, key, hashes[algorithm])),
    },
  });
  if (algorithm === "HS256") harness.goal("uncached HS256 against fast-jwt", results.ratio("tokenpair"), 1.3);
}

async function compareAsymmetric(harness: Harness, algorithm: "ES256" | "EdDSA"): Promise<void> {
  const material = generateKeyMaterial(algorithm);
  const publicKey = material.publicKey as KeyObject;
  const access = toSigningKey(material, { use: "access" });
  const tokens = createOurs(createKeySet({ access, refresh: deriveSecrets(secret).refreshKey("r1") }), 0);
  const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
  const byFastJwt = createVerifier({ key: pem, algorithms: [algorithm], cache: false });
  const joseKey = await importSPKI(pem, algorithm);
  const hash = algorithm === "ES256" ? "sha256" : null;
  const createInputs = toFreshStrings([mint(tokens)]);
  const sync = (call: (token: string) => unknown): Contender => timeCalls(call, createInputs, harness);
  const results = await harness.compare({
    title: `${algorithm}, nothing cached`,
    ...timings,
    baseline: "node:crypto alone",
    contenders: {
      tokenpair: sync((token) => tokens.verifyAccess(token)),
      "fast-jwt": sync((token) => byFastJwt(token)),
      jose: timeAsyncCalls((token) => jwtVerify(token, joseKey, { algorithms: [algorithm] }), createInputs, harness),
      "node:crypto alone": sync((token) => verifyBare(token, publicKey, hash)),
    },
  });
  harness.goal(`uncached ${algorithm} against node:crypto alone`, results.ratio("tokenpair"), 0.95);
  harness.goal(`uncached ${algorithm} against fast-jwt`, results.ratio("tokenpair", "fast-jwt"), 1);
  harness.goal(`uncached ${algorithm} against jose`, results.ratio("tokenpair", "jose"), 1);
}

/** All that no library can save: one verification over the token, with its signature in the form that OpenSSL reads. */
function verifyBare(token: string, publicKey: KeyObject, hash: string | null): boolean {
  const end = token.lastIndexOf(".");
  const signature = Buffer.from(token.slice(end + 1), "base64url");
  return verify(hash, Buffer.from(token.slice(0, end)), publicKey, hash === null ? signature : toDer(signature));
}

/** All that no library can save: one HMAC over the token, compared with the one that the token has. */
function verifyMac(token: string, key: KeyObject, hash: string): boolean {
  const end = token.lastIndexOf(".");
  const expected = createHmac(hash, key).update(token.slice(0, end)).digest();
  return timingSafeEqual(expected, Buffer.from(token.slice(end + 1), "base64url"));
}

async function compareCached(harness: Harness): Promise<void> {
  const tokens = createOurs(toHmacKeys("HS256"), defaultSettings.verifyCacheSize);
  const createInputs = toFreshStrings(Array.from({ length: 500 }, () => mint(tokens)));
  const cached = createVerifier({ key: secret, algorithms: ["HS256"], cache: true });
  const uncached = createVerifier({ key: secret, algorithms: ["HS256"], cache: false });
  const uncachedOurs = createOurs(toHmacKeys("HS256"), 0);
  const results = await harness.compare({
    title: "HS256, 500 tokens that have been verified before",
    ...timings,
    baseline: "fast-jwt, cache of 1,000",
    contenders: {
      "tokenpair, cache of 1,000": timeCalls((token) => tokens.verifyAccess(token), createInputs, harness),
      "tokenpair, no cache": timeCalls((token) => uncachedOurs.verifyAccess(token), createInputs, harness),
      "fast-jwt, cache of 1,000": timeCalls((token) => cached(token), createInputs, harness),
      "fast-jwt, no cache": timeCalls((token) => uncached(token), createInputs, harness),
    },
  });
  harness.goal("cached, against fast-jwt's cache", results.ratio("tokenpair, cache of 1,000"), 3);
}

function toHmacKeys(algorithm: Algorithm): KeySet {
  return createKeySet({ access: createHmacKey({ algorithm, secret }) });
}

function createOurs(keys: KeySet, verifyCacheSize: number): Tokens {
  return createTokens({ keys: () => keys, clock: systemClock, settings: { ...defaultSettings, verifyCacheSize } });
}

function mint(tokens: Tokens): string {
  const issuedAt = systemClock.now();
  const sessionId = "019aabcd-1234-7abc-8def-0123456789ab";
  return tokens.mintAccess({
    userId: "1234567",
    sessionId,
    userEpoch: 1,
    globalEpoch: 0,
    issuedAt,
    expiresAt: issuedAt + 3_600,
    claims: {},
  });
}
