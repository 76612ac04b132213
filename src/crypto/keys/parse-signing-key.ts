import type { Algorithm } from "../../core/settings/session-settings.ts";
import { SettingError } from "../../core/settings/setting-error.ts";
import { findKeyText, requireSecret } from "../secret-form.ts";
import { type KeyMaterial, toPrivateMaterial, toSecretMaterial } from "./key-material.ts";
import { parsePem } from "./pem.ts";
import { parsePrivateJwk } from "./private-jwk.ts";

/**
 * Returns the material of a signing key: a private key as PEM (PKCS#8, SEC1 or PKCS#1) or JWK, or else a secret for HMAC.
 *
 * @param key a string counts as UTF-8 bytes. A text that begins like a PEM or JWK is never taken for a secret.
 * @param algorithm Default: the one that the JWK names, or that fits the key; HS256 for a secret, RS256 for RSA.
 * @throws SettingError about `signingKey`: a path, placeholder or short secret; a public, encrypted, weak or malformed key, or
 * one on another curve. About `algorithm`, if it doesn't fit the key. It never quotes the key.
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
