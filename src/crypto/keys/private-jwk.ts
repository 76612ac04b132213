import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { AuthError } from "../../core/errors.ts";
import { SettingError } from "../../core/settings/setting-error.ts";
import { parseBase64url } from "../base64url.ts";
import { parseJsonObject } from "../strict-json.ts";
import { type AsymmetricAlgorithm, asymmetricAlgorithms, toKnownName } from "./algorithms.ts";

/** A private key, and the algorithm in its JWK. */
export interface ImportedJwk {
  readonly key: KeyObject;
  readonly algorithm: AsymmetricAlgorithm | undefined;
}

/** The number of bytes of the numbers of each curve (RFC 7518 §6.2.1, RFC 8037 §2). */
const curveBytes: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  EC: { "P-256": 32, "P-384": 48, "P-521": 66 },
  OKP: { Ed25519: 32 },
};

/**
 * The members of a private key by type: first the public ones, then the private ones. RSA needs its primes, because they
 * are used for signing.
 */
const membersOf: Readonly<Record<string, { readonly open: readonly string[]; readonly secret: readonly string[] }>> = {
  EC: { open: ["x", "y"], secret: ["d"] },
  OKP: { open: ["x"], secret: ["d"] },
  RSA: { open: ["n", "e"], secret: ["d", "p", "q", "dp", "dq", "qi"] },
};

type Json = Readonly<Record<string, unknown>>;

/**
 * Returns the private key in a JWK (RFC 7517, RFC 7518 §6, RFC 8037 §2). Its numbers must be in canonical base64url and
 * have the correct length. Its private and public parts must belong together. `use` and `key_ops`, if present, must allow
 * signing.
 *
 * @throws SettingError for `signingKey` if the text is anything else. It doesn't quote the text.
 */
export function parsePrivateJwk(text: string): ImportedJwk {
  const jwk = parseJson(text);
  if (jwk["keys"] !== undefined) throw refusal("is a JWK Set. Set the one JWK that signs.");
  const { kty } = jwk;
  if (kty === "oct") {
    throw refusal("is a JWK of a secret (oct). Set the secret itself, created with: openssl rand -hex 48");
  }
  const members = typeof kty === "string" && Object.hasOwn(membersOf, kty) ? membersOf[kty] : undefined;
  if (members === undefined) throw refusal("is a JWK whose kty isn't EC, OKP or RSA.");
  if (jwk["d"] === undefined) {
    throw refusal("is a public JWK. Set the private key that belongs to it.");
  }
  requireSigning(jwk);
  requireNumbers(jwk, [...members.open, ...members.secret]);
  const key = importJwk(jwk, [...members.open, ...members.secret]);
  const open = createPublicKey(key).export({ format: "jwk" });
  if (members.open.some((name) => open[name] !== jwk[name])) {
    throw refusal("is a JWK whose public half doesn't belong to its private half.");
  }
  return { key, algorithm: readAlgorithm(jwk) };
}

function parseJson(text: string): Json {
  try {
    return parseJsonObject(text);
  } catch (error) {
    if (error instanceof AuthError)
      throw refusal("begins like a JWK, but isn't a JSON object without duplicate members.");
    throw error;
  }
}

/** Checks that the JWK may be used for signing (RFC 7517 §4.2, §4.3). */
function requireSigning({ use, key_ops: operations }: Json): void {
  if (use !== undefined && use !== "sig") throw refusal('is a JWK whose use isn\'t "sig".');
  if (operations === undefined) return;
  const isForSigning =
    Array.isArray(operations) &&
    operations.includes("sign") &&
    operations.every((operation) => operation === "sign" || operation === "verify") &&
    new Set(operations).size === operations.length;
  if (!isForSigning) throw refusal('is a JWK whose key_ops isn\'t ["sign"] or ["sign", "verify"].');
}

function requireNumbers(jwk: Json, names: readonly string[]): void {
  if (jwk["oth"] !== undefined) throw refusal("is an RSA JWK with more than two primes.");
  const sizes = Object.hasOwn(curveBytes, String(jwk["kty"])) ? curveBytes[String(jwk["kty"])] : undefined;
  const crv = String(jwk["crv"]);
  if (sizes !== undefined && !Object.hasOwn(sizes, crv)) {
    throw refusal(`is a JWK whose crv isn't ${Object.keys(sizes).join(", ")}.`);
  }
  for (const name of names) {
    const value = jwk[name];
    const bytes = typeof value === "string" ? parseBase64url(value) : null;
    // A number of RSA has no leading zero (RFC 7518 §2); one of a curve has the curve's length (§6.2.1.2).
    const isWhole = sizes === undefined ? bytes?.[0] !== 0 && bytes?.length !== 0 : bytes?.length === sizes[crv];
    if (bytes === null || !isWhole) throw refusal(`is a JWK whose ${name} is missing or malformed.`);
  }
}

/** Imports only the members that make up the key. All other members of the JWK are ignored. */
function importJwk(jwk: Json, names: readonly string[]): KeyObject {
  const members = ["kty", "crv", ...names].map((name) => [name, jwk[name]]).filter(([, value]) => value !== undefined);
  try {
    return createPrivateKey({ key: Object.fromEntries(members), format: "jwk" });
  } catch {
    throw refusal("is a JWK whose numbers don't make a key.");
  }
}

function readAlgorithm({ alg }: Json): AsymmetricAlgorithm | undefined {
  if (alg === undefined) return undefined;
  const known = asymmetricAlgorithms.find((algorithm) => algorithm === toKnownName(alg));
  if (known === undefined) throw refusal(`is a JWK whose alg isn't one of ${asymmetricAlgorithms.join(", ")}.`);
  return known;
}

function refusal(fault: string): SettingError {
  return new SettingError("signingKey", fault);
}
