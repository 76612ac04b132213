import { constants, type SigningOptions } from "node:crypto";
import type { Algorithm } from "../../core/settings/session-settings.ts";

/** The algorithms of a secret (RFC 7518 §3.2). */
export const hmacAlgorithms = Object.freeze({
  HS256: { hash: "sha256", bytes: 32 },
  HS384: { hash: "sha384", bytes: 48 },
  HS512: { hash: "sha512", bytes: 64 },
} as const satisfies Partial<Record<Algorithm, HmacScheme>>);

interface HmacScheme {
  readonly hash: string;
  /** The bytes of a MAC, and the fewest that a secret may have. */
  readonly bytes: number;
}

/** An algorithm whose key is a secret. */
export type HmacAlgorithm = keyof typeof hmacAlgorithms;

/** An algorithm with a private and a public key. */
export type AsymmetricAlgorithm = Exclude<Algorithm, HmacAlgorithm>;

/** How an asymmetric algorithm signs. */
export interface Scheme {
  /** The type of its keys, as `node:crypto` calls it. */
  readonly keyType: "ec" | "ed25519" | "rsa";
  /** The curve of its keys, as `node:crypto` calls it; `null` if the type has only one, or none. */
  readonly curve: "prime256v1" | "secp384r1" | "secp521r1" | null;
  /** `null` for Ed25519, which hashes by itself. */
  readonly hash: string | null;
  readonly options: SigningOptions;
  /** The bytes of a signature; `null` for RSA, whose signatures are as long as the modulus. */
  readonly signatureBytes: number | null;
}

/** JWS has r ‖ s, and not DER (RFC 7518 §3.4). */
const ecdsa: SigningOptions = { dsaEncoding: "ieee-p1363" };
const pkcs1: SigningOptions = { padding: constants.RSA_PKCS1_PADDING };
/** The salt is as long as the hash (RFC 7518 §3.5). */
const pss: SigningOptions = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
};

const rsa = (hash: string, options: SigningOptions): Scheme => ({
  keyType: "rsa",
  curve: null,
  hash,
  options,
  signatureBytes: null,
});

/** The asymmetric algorithms. Of those that fit a key, the first is its default. */
export const schemes: Readonly<Record<AsymmetricAlgorithm, Scheme>> = Object.freeze({
  ES256: { keyType: "ec", curve: "prime256v1", hash: "sha256", options: ecdsa, signatureBytes: 64 },
  ES384: { keyType: "ec", curve: "secp384r1", hash: "sha384", options: ecdsa, signatureBytes: 96 },
  ES512: { keyType: "ec", curve: "secp521r1", hash: "sha512", options: ecdsa, signatureBytes: 132 },
  EdDSA: { keyType: "ed25519", curve: null, hash: null, options: {}, signatureBytes: 64 },
  RS256: rsa("sha256", pkcs1),
  RS384: rsa("sha384", pkcs1),
  RS512: rsa("sha512", pkcs1),
  PS256: rsa("sha256", pss),
  PS384: rsa("sha384", pss),
  PS512: rsa("sha512", pss),
});

/** Every asymmetric algorithm, in the order of `schemes`. */
export const asymmetricAlgorithms: readonly AsymmetricAlgorithm[] = Object.freeze(
  Object.keys(schemes) as AsymmetricAlgorithm[],
);

/** Returns whether the key of `algorithm` is a secret. */
export function isHmac(algorithm: Algorithm): algorithm is HmacAlgorithm {
  return Object.hasOwn(hmacAlgorithms, algorithm);
}

/** Returns the name under which we know an `alg`: "Ed25519" is "EdDSA" with its one curve (RFC 9864 §2.2). */
export function toKnownName(alg: unknown): unknown {
  return alg === "Ed25519" ? "EdDSA" : alg;
}
