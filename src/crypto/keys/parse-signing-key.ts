import type { Algorithm } from "../../core/settings/session-settings.ts";
import { SettingError } from "../../core/settings/setting-error.ts";
import { findKeyText, requireSecret } from "../secret-form.ts";
import { type KeyMaterial, toPrivateMaterial, toSecretMaterial } from "./key-material.ts";
import { parsePem } from "./pem.ts";
import { parsePrivateJwk } from "./private-jwk.ts";

/**
 * Returns the material of a signing key. The key is a private key as PEM (PKCS#8, SEC1 or PKCS#1) or JWK, or else a secret
 * for HMAC.
 *
 * @param key the key. A string is used as UTF-8 bytes. A text that begins like a PEM or JWK is never used as a secret.
 * @param algorithm the algorithm to sign with. Default: the `alg` of the JWK, or the one that fits the key: HS256 for a
 * secret, RS256 for RSA.
 * @throws SettingError for `signingKey` if it is a path, a placeholder or a short secret, or a key that is public,
 * encrypted, weak, malformed or on an unsupported curve. For `algorithm` if it doesn't fit the key. The error never quotes
 * the key.
 */
export function parseSigningKey(key: string | Uint8Array, algorithm?: Algorithm): KeyMaterial {
  const text = findKeyText(key);
  if (text === null) {
    requireSecret(key);
    return toSecretMaterial(key, algorithm);
  }
  if (!text.startsWith("{")) return toPrivateMaterial(parsePem(text), algorithm);
  const jwk = parsePrivateJwk(text);
  if (algorithm !== undefined && jwk.algorithm !== undefined && algorithm !== jwk.algorithm) {
    throw new SettingError("algorithm", `must be that of the JWK, ${jwk.algorithm}, got "${algorithm}". Remove it.`);
  }
  return toPrivateMaterial(jwk.key, algorithm ?? jwk.algorithm);
}
