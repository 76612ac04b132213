import { createHash } from "node:crypto";
import { type KeyMaterial, toPublicJwk } from "./key-material.ts";
import type { PublicJwk } from "./public-jwk.ts";

/** A JWK Set as every node publishes it (RFC 7517 §5): the same keys give the same bytes. */
export interface Jwks {
  /** The JSON. Secrets are left out; it has no private member. */
  readonly body: string;
  /** The entity tag, with its quotes. */
  readonly etag: string;
  /** 8 hexadecimal digits: the first 4 bytes of SHA-256 of the body. */
  readonly version: string;
}

/** Returns the JWK Set of `keys`, in any order; a key that occurs twice is published once. */
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
