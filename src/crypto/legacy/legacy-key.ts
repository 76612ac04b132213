import { createHmac, createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import type { LegacyAlgorithm } from "../../core/settings/legacy-settings.ts";
import { SettingError } from "../../core/settings/setting-error.ts";
import { hmacAlgorithms } from "../keys/algorithms.ts";
import { createVerifyingKey } from "../keys/asymmetric-key.ts";
import type { VerifyingKey } from "../keys/signing-key.ts";
import { isSameText } from "../same-text.ts";
import { findKeyText, findSecretBytesFault, findSecretFault } from "../secret-form.ts";

/** simplejwt's key, which can verify but not sign. */
export type LegacyKey = Pick<VerifyingKey, "algorithm" | "verify">;

/**
 * The minimum number of bytes of a secret, for any hash. The `SECRET_KEY` of a Django project has 50, even if it is used
 * with HS512.
 */
const minSecretBytes = 32;

/** The minimum number of bits of an RSA modulus. */
const minRsaBits = 2_048;

/** The algorithm of each elliptic curve, under the curve's name in `node:crypto`. */
const algorithmOfCurve: Readonly<Record<string, "ES256" | "ES384" | "ES512">> = {
  prime256v1: "ES256",
  secp384r1: "ES384",
  secp521r1: "ES512",
};

const rsaAlgorithms = ["RS256", "RS384", "RS512"] as const;
const secretAlgorithms = ["HS256", "HS384", "HS512"] as const;

/**
 * Parses the key that verifies simplejwt's tokens: the secret of an HMAC algorithm, or a public key or certificate as PEM.
 *
 * @param algorithm simplejwt's `ALGORITHM`. Default: the one that fits the key: HS256 for a secret, RS256 for RSA.
 * @throws SettingError for `legacyRefreshKey` or `legacyRefreshAlgorithm`. It never quotes the key.
 */
export function parseLegacyKey(key: string | Uint8Array, algorithm?: LegacyAlgorithm): LegacyKey {
  const text = findKeyText(key);
  return text === null ? parseSecret(key, algorithm) : parsePublicKey(text, algorithm);
}

function parseSecret(secret: string | Uint8Array, given?: LegacyAlgorithm): LegacyKey {
  const fault = typeof secret === "string" ? findSecretFault(secret) : findSecretBytesFault(secret);
  // Whether it is a good secret isn't asked: the tokens are signed with it. Words such as "django-insecure" are part of many.
  if (fault === "path" || fault === "url") {
    throw refusal(`looks like a ${fault === "url" ? "URL" : "path"}. Set simplejwt's SIGNING_KEY, or SECRET_KEY.`);
  }
  if (fault === "bare-key") throw refusal("is a key without its PEM lines. Set the PEM of simplejwt's VERIFYING_KEY.");
  const length = Buffer.byteLength(secret);
  if (length < minSecretBytes) {
    throw refusal(
      `must have at least ${minSecretBytes} bytes, got ${length}: shorter secrets can be guessed. ` +
        "Change SIGNING_KEY in Django, and wait until all of its users have logged in again.",
    );
  }
  const algorithm = requireFitting(secretAlgorithms, given);
  const { hash } = hmacAlgorithms[algorithm];
  const hmacKey = createSecretKey(Buffer.from(secret));
  return Object.freeze({
    algorithm,
    verify: (signingInput: string, signature: string) =>
      isSameText(createHmac(hash, hmacKey).update(signingInput).digest("base64url"), signature),
  });
}

function parsePublicKey(text: string, given?: LegacyAlgorithm): LegacyKey {
  if (text.startsWith("{")) throw refusal("is a JWK. Set the PEM of simplejwt's VERIFYING_KEY.");
  // Node would derive the public key from it. This key must not be able to sign.
  if (/PRIVATE KEY-----/.test(text)) {
    throw refusal("is a private key. Set simplejwt's VERIFYING_KEY, or: openssl pkey -in PRIVATE -pubout");
  }
  const publicKey = importPublicKey(text);
  const algorithm = requireFitting(toFittingAlgorithms(publicKey), given);
  const { verify } = createVerifyingKey({ algorithm, kid: "legacy", publicKey });
  return Object.freeze({ algorithm, verify });
}

function importPublicKey(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch {
    throw refusal("is a PEM that can't be read as a public key. Set the PEM of simplejwt's VERIFYING_KEY.");
  }
}

function toFittingAlgorithms({ asymmetricKeyType: type, asymmetricKeyDetails = {} }: KeyObject) {
  const { modulusLength = 0, namedCurve = "" } = asymmetricKeyDetails;
  if (type === "rsa") {
    if (modulusLength >= minRsaBits) return rsaAlgorithms;
    throw refusal(`must have at least ${minRsaBits} bits as an RSA key, got ${modulusLength}`);
  }
  const algorithm = type === "ec" ? algorithmOfCurve[namedCurve] : undefined;
  if (algorithm === undefined) throw refusal("must be an RSA key or a key on P-256, P-384 or P-521.");
  return [algorithm];
}

function requireFitting<A extends LegacyAlgorithm>(fitting: readonly A[], given?: LegacyAlgorithm): A {
  const algorithm = fitting.find((each) => each === (given ?? fitting[0]));
  if (algorithm !== undefined) return algorithm;
  throw new SettingError(
    "legacyRefreshAlgorithm",
    `must fit legacyRefreshKey, which verifies ${fitting.join(", ")}, got "${given}". Set simplejwt's ALGORITHM.`,
  );
}

function refusal(fault: string): SettingError {
  return new SettingError("legacyRefreshKey", fault);
}
