import { constants, type SigningOptions } from "node:crypto";
import type { Algorithm } from "../../core/settings/session-settings.ts";

/** The algorithms whose key is a secret (RFC 7518 §3.2). */
export const hmacAlgorithms = Object.freeze({
  HS256: { hash: "sha256", bytes: 32 },
  HS384: { hash: "sha384", bytes: 48 },
  HS512: { hash: "sha512", bytes: 64 },
} as const satisfies Partial<Record<Algorithm, HmacScheme>>);

interface HmacScheme {
  readonly hash: string;
  /** The number of bytes of a MAC, which is also the minimum for a secret. */
  readonly bytes: number;
}

/** An algorithm whose key is a secret. */
export type HmacAlgorithm = keyof typeof hmacAlgorithms;

/** An algorithm with a private key and a public key. */
export type AsymmetricAlgorithm = Exclude<Algorithm, HmacAlgorithm>;

/** How an asymmetric algorithm signs. */
export interface Scheme {
  /** The type of the algorithm's keys, under its name in `node:crypto`. */
  readonly keyType: "ec" | "ed25519" | "rsa";
  /**
   * The curve of the algorithm's keys, under its name in `node:crypto`. `null` if the key type has only one curve, or none.
   */
  readonly curve: "prime256v1" | "secp384r1" | "secp521r1" | null;
  /** The hash, or `null` for Ed25519, which has a built-in hash. */
  readonly hash: string | null;
  /** The options for the padding of RSA-PSS. `null` for all other algorithms, for which `node:crypto` needs no options. */
  readonly padding: SigningOptions | null;
  /** The number of bytes of a signature. `null` for RSA, whose signatures are as long as the modulus. */
  readonly signatureBytes: number | null;
}

const elliptic = (curve: Scheme["curve"], hash: string, signatureBytes: number): Scheme => ({
  keyType: "ec",
  curve,
  hash,
  padding: null,
  signatureBytes,
});

const rsa = (hash: string, padding: SigningOptions | null): Scheme => ({
  keyType: "rsa",
  curve: null,
  hash,
  padding,
  signatureBytes: null,
});

/** The options of RSA-PSS. The salt is as long as the hash (RFC 7518 §3.5). */
const pss: SigningOptions = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
};

/** The asymmetric algorithms. If several of them fit a key, the first one is the default. */
export const schemes: Readonly<Record<AsymmetricAlgorithm, Scheme>> = Object.freeze({
  ES256: elliptic("prime256v1", "sha256", 64),
  ES384: elliptic("secp384r1", "sha384", 96),
  ES512: elliptic("secp521r1", "sha512", 132),
  EdDSA: { keyType: "ed25519", curve: null, hash: null, padding: null, signatureBytes: 64 },
  RS256: rsa("sha256", null),
  RS384: rsa("sha384", null),
  RS512: rsa("sha512", null),
  PS256: rsa("sha256", pss),
  PS384: rsa("sha384", pss),
  PS512: rsa("sha512", pss),
});

/** All asymmetric algorithms, in the order of `schemes`. */
export const asymmetricAlgorithms: readonly AsymmetricAlgorithm[] = Object.freeze(
  Object.keys(schemes) as AsymmetricAlgorithm[],
);

/** Returns whether the key of `algorithm` is a secret. */
export function isHmac(algorithm: Algorithm): algorithm is HmacAlgorithm {
  return Object.hasOwn(hmacAlgorithms, algorithm);
}

/**
 * Returns the name that tokenpair uses for an `alg`: "Ed25519" becomes "EdDSA", of which it is the only supported curve
 * (RFC 9864 §2.2).
 */
export function toKnownName(alg: unknown): unknown {
  return alg === "Ed25519" ? "EdDSA" : alg;
}
