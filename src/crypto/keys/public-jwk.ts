import { createHash, type KeyObject } from "node:crypto";
import type { AsymmetricAlgorithm } from "./algorithms.ts";

/** The members that identify a public key, in the alphabetical order of RFC 7638 §3.2. */
type Members = Readonly<Record<string, string>>;

const membersOf: Readonly<Record<string, readonly string[]>> = {
  EC: ["crv", "kty", "x", "y"],
  OKP: ["crv", "kty", "x"],
  RSA: ["e", "kty", "n"],
};

/** A public key as a JWK (RFC 7517 §4). */
export interface PublicJwk {
  readonly kty: string;
  readonly use: "sig";
  readonly alg: AsymmetricAlgorithm;
  readonly kid: string;
  /** The members that depend on the type of the key. */
  readonly [member: string]: string;
}

/** Returns the JWK of a public key. Its members always have the same order. */
export function toJwk(alg: AsymmetricAlgorithm, kid: string, publicKey: KeyObject): PublicJwk {
  const { kty = "", ...members } = readMembers(publicKey);
  return { kty, ...members, use: "sig", alg, kid };
}

/** Returns the thumbprint of a public key (RFC 7638). It has 43 characters and depends only on the key. */
export function toThumbprint(publicKey: KeyObject): string {
  return createHash("sha256")
    .update(JSON.stringify(readMembers(publicKey)))
    .digest("base64url");
}

/** Reads only the named members, so that no private member can be included. */
function readMembers(publicKey: KeyObject): Members {
  if (publicKey.type !== "public") throw new TypeError("not a public key");
  const jwk = publicKey.export({ format: "jwk" });
  return Object.fromEntries((membersOf[jwk.kty ?? ""] ?? []).map((name) => [name, String(jwk[name])]));
}
