import { parseBase64url } from "../base64url.ts";

/** What the JWKs of one key type have (RFC 7518 §6, RFC 8037 §2). */
export interface JwkForm {
  /** The members of a public key, besides `kty` and `crv`. */
  readonly publicMembers: readonly string[];
  /** The other members of a private key. RSA needs its primes, as signing does. */
  readonly privateMembers: readonly string[];
  /** How many bytes the numbers have on each curve, by `crv`. `null` for a type without curves. */
  readonly curves: Readonly<Record<string, number>> | null;
}

const forms: Readonly<Record<string, JwkForm>> = {
  EC: { publicMembers: ["x", "y"], privateMembers: ["d"], curves: { "P-256": 32, "P-384": 48, "P-521": 66 } },
  OKP: { publicMembers: ["x"], privateMembers: ["d"], curves: { Ed25519: 32 } },
  RSA: { publicMembers: ["n", "e"], privateMembers: ["d", "p", "q", "dp", "dq", "qi"], curves: null },
};

/** Returns the form of the JWKs with this `kty`; `null` for any other value. */
export function findJwkForm(kty: unknown): JwkForm | null {
  return typeof kty === "string" && Object.hasOwn(forms, kty) ? (forms[kty] ?? null) : null;
}

/**
 * Returns the bytes of a number in a JWK; `null` if it is missing, not in canonical base64url, or doesn't have its length: that of
 * the curve or, for RSA, one without a leading zero (RFC 7518 §2, §6.2.1.2).
 */
export function readJwkNumber(jwk: Readonly<Record<string, unknown>>, name: string): Uint8Array | null {
  const value = jwk[name];
  const bytes = typeof value === "string" ? parseBase64url(value) : null;
  if (bytes === null) return null;
  const curves = findJwkForm(jwk["kty"])?.curves ?? null;
  const isWhole = curves === null ? bytes.length !== 0 && bytes[0] !== 0 : bytes.length === curves[String(jwk["crv"])];
  return isWhole ? bytes : null;
}
