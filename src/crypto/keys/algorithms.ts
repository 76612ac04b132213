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
  /** The padding of RSA-PSS; `null` for everything else, which is how `node:crypto` uses the key by default. */
  readonly padding: SigningOptions | null;
  /** The bytes of a signature; `null` for RSA, whose signatures are as long as the modulus. */
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

/** The salt is as long as the hash (RFC 7518 §3.5). */
const pss: SigningOptions = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
};

/** The asymmetric algorithms. Of those that fit a key, the first is its default. */
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
