import { createVerify, type KeyObject, type SigningOptions, sign, verify } from "node:crypto";
import { parseBase64url } from "../base64url.ts";
import { type AsymmetricAlgorithm, type Scheme, schemes } from "./algorithms.ts";
import { fromDer, toDer } from "./ecdsa-signature.ts";
import { type SigningKey, toEncodedLength, toProtectedHeader, type VerifyingKey } from "./signing-key.ts";

/** A public key and its name. */
interface PublicHalf {
  readonly algorithm: AsymmetricAlgorithm;
  readonly kid: string;
  readonly publicKey: KeyObject;
}

/**
 * Creates a key that verifies access tokens. Refresh tokens are never signed with an asymmetric key, because a service that
 * has the public key could mistake a refresh token for an access token.
 *
 * @param publicKey the public key, which must fit the algorithm.
 */
export function createVerifyingKey({ algorithm, kid, publicKey }: PublicHalf): VerifyingKey {
  const scheme = schemes[algorithm];
  const { keyType } = scheme;
  const bytes = toSignatureBytes(scheme, publicKey);
  const length = toEncodedLength(bytes);
  const isGenuine = createVerification(scheme, publicKey, bytes);
  return Object.freeze({
    kid,
    algorithm,
    use: "access",
    header: toProtectedHeader(algorithm, "JWT", kid),
    verify(signingInput: string, signature: string): boolean {
      // Its length tells r ‖ s from DER, and a signature of this key's size from one with leading zeros.
      if (signature.length !== length) return false;
      const decoded = parseBase64url(signature);
      if (decoded?.length !== bytes) return false;
      try {
        return isGenuine(Buffer.from(signingInput), keyType === "ec" ? toDer(decoded) : decoded);
      } catch {
        // OpenSSL reports some malformed signatures as an error.
        return false;
      }
    },
  });
}

/** Creates a key that signs and verifies access tokens. The private and the public key must belong together. */
export function createPrivateSigningKey({
  privateKey,
  ...half
}: PublicHalf & { readonly privateKey: KeyObject }): SigningKey {
  const scheme = schemes[half.algorithm];
  const { keyType, hash } = scheme;
  const bytes = toSignatureBytes(scheme, half.publicKey);
  const key = withPadding(scheme, privateKey);
  return Object.freeze({
    ...createVerifyingKey(half),
    signatureLength: toEncodedLength(bytes),
    sign(signingInput: string): string {
      const signature = sign(hash, Buffer.from(signingInput), key);
      return (keyType === "ec" ? fromDer(signature, bytes / 2) : signature).toString("base64url");
    },
  });
}

type Verification = (message: Buffer, signature: Buffer) => boolean;

/** Returns the function that compares a signature of `bytes` bytes with a message. It may throw. */
function createVerification(scheme: Scheme, publicKey: KeyObject, bytes: number): Verification {
  const { hash, padding } = scheme;
  const key = withPadding(scheme, publicKey);
  const verification: Verification = (message, signature) => verify(hash, message, key, signature);
  if (padding === null || hash === null) return verification;
  try {
    verification(Buffer.alloc(1), Buffer.alloc(bytes));
    return verification;
  } catch {
    // workerd accepts no KeyObject with options, and its `verify` ignores the padding.
    const pem = publicKey.export({ type: "spki", format: "pem" });
    return (message, signature) =>
      createVerify(hash)
        .update(message)
        .verify({ ...padding, key: pem }, signature);
  }
}

/**
 * Returns a key in the form in which it is passed to `node:crypto`. The KeyObject is created once, because a PEM or JWK
 * would be imported again for every signature. A key without options is passed as it is, because wrapping it in an object
 * costs 12 µs in Node 24.
 */
function withPadding({ padding }: Scheme, key: KeyObject): KeyObject | (SigningOptions & { readonly key: KeyObject }) {
  return padding === null ? key : { ...padding, key };
}

function toSignatureBytes({ signatureBytes }: Scheme, publicKey: KeyObject): number {
  return signatureBytes ?? Math.ceil((publicKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}
