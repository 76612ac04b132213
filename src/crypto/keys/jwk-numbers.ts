import { parseBase64url } from "../base64url.ts";

/** How many bytes the numbers of a curve have (RFC 7518 §6.2.1, RFC 8037 §2). */
const curveBytes: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  EC: { "P-256": 32, "P-384": 48, "P-521": 66 },
  OKP: { Ed25519: 32 },
};

/** Returns the bytes of a number on each curve of a `kty`, by `crv`; `null` for a type without curves. */
export function findCurves(kty: unknown): Readonly<Record<string, number>> | null {
  return typeof kty === "string" && Object.hasOwn(curveBytes, kty) ? (curveBytes[kty] ?? null) : null;
}

/**
 * Returns the bytes of a number in a JWK; `null` if it is missing, not in canonical base64url, or doesn't have its length: that of
 * the curve or, for RSA, one without a leading zero (RFC 7518 §2, §6.2.1.2).
 */
export function readJwkNumber(jwk: Readonly<Record<string, unknown>>, name: string): Uint8Array | null {
  const value = jwk[name];
  const bytes = typeof value === "string" ? parseBase64url(value) : null;
  if (bytes === null) return null;
  const sizes = findCurves(jwk["kty"]);
  const isWhole = sizes === null ? bytes.length !== 0 && bytes[0] !== 0 : bytes.length === sizes[String(jwk["crv"])];
  return isWhole ? bytes : null;
}
