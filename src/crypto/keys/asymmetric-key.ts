import { type KeyObject, sign, verify } from "node:crypto";
import { parseBase64url } from "../base64url.ts";
import { type AsymmetricAlgorithm, schemes } from "./algorithms.ts";
import { type SigningKey, toEncodedLength, toProtectedHeader, type VerifyingKey } from "./signing-key.ts";

/** A public key and its name. */
interface PublicHalf {
  readonly algorithm: AsymmetricAlgorithm;
  readonly kid: string;
  readonly publicKey: KeyObject;
}

/**
 * Creates a key that verifies access tokens. Refresh tokens are never signed asymmetrically: services that have the public
 * key could take one for an access token.
 *
 * @param publicKey must fit the algorithm.
 */
export function createVerifyingKey({ algorithm, kid, publicKey }: PublicHalf): VerifyingKey {
  const { hash, options } = schemes[algorithm];
  const bytes = toSignatureBytes(algorithm, publicKey);
  const length = toEncodedLength(bytes);
  // Made once: with a PEM or JWK, every verification would import the key again.
  const input = { ...options, key: publicKey };
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
        return verify(hash, Buffer.from(signingInput), input, decoded);
      } catch {
        // OpenSSL reports some malformed signatures as an error.
        return false;
      }
    },
  });
}

/** Creates a key that signs and verifies access tokens. The halves must belong together. */
export function createPrivateSigningKey(key: PublicHalf & { readonly privateKey: KeyObject }): SigningKey {
  const { hash, options } = schemes[key.algorithm];
  const input = { ...options, key: key.privateKey };
  return Object.freeze({
    ...createVerifyingKey(key),
    signatureLength: toEncodedLength(toSignatureBytes(key.algorithm, key.publicKey)),
    sign: (signingInput: string) => sign(hash, Buffer.from(signingInput), input).toString("base64url"),
  });
}

function toSignatureBytes(algorithm: AsymmetricAlgorithm, publicKey: KeyObject): number {
  return schemes[algorithm].signatureBytes ?? Math.ceil((publicKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}
