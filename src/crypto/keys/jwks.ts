import { createHash } from "node:crypto";
import { type KeyMaterial, toPublicJwk } from "./key-material.ts";
import type { PublicJwk } from "./public-jwk.ts";

/** A JWK Set, as every node publishes it (RFC 7517 §5). The same keys always give the same bytes. */
export interface Jwks {
  /** The JSON text. It contains no secrets and no private members. */
  readonly body: string;
  /** The entity tag, including its quotes. */
  readonly etag: string;
  /** The version: the first 4 bytes of the body's SHA-256, as 8 hexadecimal digits. */
  readonly version: string;
}

/** Returns the JWK Set of `keys`, which can be in any order. A key that occurs twice is published once. */
export function toJwks(keys: Iterable<KeyMaterial>): Jwks {
  const byKid = new Map<string, PublicJwk>();
  for (const key of keys) {
    const jwk = toPublicJwk(key);
    if (jwk !== null) byKid.set(jwk.kid, jwk);
  }
  const sorted = [...byKid.values()].sort((a, b) => (a.kid < b.kid ? -1 : 1));
  const body = JSON.stringify({ keys: sorted });
  const hash = createHash("sha256").update(body).digest();
  return Object.freeze({
    body,
    etag: `"${hash.toString("base64url").slice(0, 22)}"`,
    version: hash.toString("hex").slice(0, 8),
  });
}
