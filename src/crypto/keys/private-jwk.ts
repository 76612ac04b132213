import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { AuthError } from "../../core/errors.ts";
import { SettingError } from "../../core/settings/setting-error.ts";
import { parseJsonObject } from "../strict-json.ts";
import { type AsymmetricAlgorithm, asymmetricAlgorithms, toKnownName } from "./algorithms.ts";
import { findJwkForm, type JwkForm, readJwkNumber } from "./jwk-forms.ts";

/** A private key, and the algorithm in its JWK. */
export interface ImportedJwk {
  readonly key: KeyObject;
  readonly algorithm: AsymmetricAlgorithm | undefined;
}

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
  const form = findJwkForm(kty);
  if (form === null) throw refusal("is a JWK whose kty isn't EC, OKP or RSA.");
  if (jwk["d"] === undefined) {
    throw refusal("is a public JWK. Set the private key that belongs to it.");
  }
  requireSigning(jwk);
  requireNumbers(jwk, form);
  const key = importJwk(jwk, form);
  const open = createPublicKey(key).export({ format: "jwk" });
  if (form.publicMembers.some((name) => open[name] !== jwk[name])) {
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

function requireNumbers(jwk: Json, { publicMembers, privateMembers, curves }: JwkForm): void {
  if (jwk["oth"] !== undefined) throw refusal("is an RSA JWK with more than two primes.");
  if (curves !== null && !Object.hasOwn(curves, String(jwk["crv"]))) {
    throw refusal(`is a JWK whose crv isn't ${Object.keys(curves).join(", ")}.`);
  }
  const missing = [...publicMembers, ...privateMembers].find((name) => readJwkNumber(jwk, name) === null);
  if (missing !== undefined) throw refusal(`is a JWK whose ${missing} is missing or malformed.`);
}

/** Imports only the members that make up the key. All other members of the JWK are ignored. */
function importJwk(jwk: Json, { publicMembers, privateMembers }: JwkForm): KeyObject {
  const names = ["kty", "crv", ...publicMembers, ...privateMembers];
  const members = names.map((name) => [name, jwk[name]]).filter(([, value]) => value !== undefined);
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
