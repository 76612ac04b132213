import { createPublicKey } from "node:crypto";
import { parseJsonObject } from "../strict-json.ts";
import { type AsymmetricAlgorithm, asymmetricAlgorithms, schemes, toKnownName } from "./algorithms.ts";
import { createVerifyingKey } from "./asymmetric-key.ts";
import { findJwkForm, readJwkNumber } from "./jwk-forms.ts";
import { findPublicRsaFault } from "./rsa-numbers.ts";
import type { VerifyingKey } from "./signing-key.ts";

type Json = Readonly<Record<string, unknown>>;

/** The type and curve of a JWK by the type or curve of our keys. */
const typesAndCurves: Readonly<Record<string, { readonly kty: string; readonly crv?: string }>> = {
  rsa: { kty: "RSA" },
  ed25519: { kty: "OKP", crv: "Ed25519" },
  prime256v1: { kty: "EC", crv: "P-256" },
  secp384r1: { kty: "EC", crv: "P-384" },
  secp521r1: { kty: "EC", crv: "P-521" },
};

/**
 * Returns the keys of a JWK Set that can verify tokens (RFC 7517 §5). A key of another type, for another use, without `kid` or
 * `alg`, malformed or weak is left out, as the RFC demands of unknown ones, and so are keys with the same `kid`. Secrets and private
 * members are never read.
 *
 * @throws AuthError `token_invalid` if the text isn't a JSON object without duplicate members.
 * @throws TypeError if it isn't a JWK Set.
 */
export function parseJwks(text: string): readonly VerifyingKey[] {
  const { keys } = parseJsonObject(text, "JWK Set");
  if (!Array.isArray(keys)) throw new TypeError("the JWK Set has no list of keys");
  const named = new Map<unknown, number>();
  for (const jwk of keys) named.set(jwk?.kid, (named.get(jwk?.kid) ?? 0) + 1);
  return keys
    .map((jwk) => toVerifyingKey(jwk))
    .filter((key) => key !== null)
    .filter(({ kid }) => named.get(kid) === 1);
}

function toVerifyingKey(jwk: unknown): VerifyingKey | null {
  if (typeof jwk !== "object" || jwk === null) return null;
  const { kid, kty, crv, use, key_ops: operations, n, e } = jwk as Json;
  const algorithm = findAlgorithm(jwk as Json);
  if (algorithm === null || typeof kid !== "string" || kid === "") return null;
  if (use !== undefined && use !== "sig") return null;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) return null;
  const names = findJwkForm(kty)?.publicMembers ?? [];
  if (names.some((name) => readJwkNumber(jwk as Json, name) === null)) return null;
  if (kty === "RSA" && findPublicRsaFault({ n: String(n), e: String(e) }) !== null) return null;
  const numbers = Object.fromEntries(names.map((name) => [name, (jwk as Json)[name]]));
  const key = { kty: String(kty), ...(crv === undefined ? {} : { crv: String(crv) }), ...numbers };
  try {
    return createVerifyingKey({ algorithm, kid, publicKey: createPublicKey({ key, format: "jwk" }) });
  } catch {
    // The numbers are no point on the curve.
    return null;
  }
}

/** Returns the JWK's `alg`. Returns `null` if it is missing, doesn't fit or isn't known. */
function findAlgorithm({ alg, kty, crv }: Json): AsymmetricAlgorithm | null {
  const fitting = asymmetricAlgorithms.filter((algorithm) => {
    const { keyType, curve } = schemes[algorithm];
    const form = typesAndCurves[curve ?? keyType];
    return form?.kty === kty && form?.crv === (kty === "RSA" ? undefined : crv);
  });
  const known = toKnownName(alg);
  return fitting.find((algorithm) => algorithm === known) ?? null;
}
