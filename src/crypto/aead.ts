import { createCipheriv, createDecipheriv } from "node:crypto";
import type { Random } from "../core/runtime/random.ts";

const nonceLength = 12;
const tagLength = 16;

/**
 * Encrypts bytes with AES-256-GCM (NIST SP 800-38D).
 *
 * @param context what the bytes belong to. It isn't encrypted, and `decrypt` needs the same.
 * @returns the nonce, the ciphertext and the tag, in this order.
 */
export function encrypt(
  key: Uint8Array,
  bytes: Uint8Array,
  { context, random }: { readonly context: Uint8Array; readonly random: Random },
): Buffer {
  const nonce = random(nonceLength);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(context);
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
}

/**
 * Decrypts the result of `encrypt`.
 *
 * @throws Error if the bytes were not encrypted with this key and context, or were changed.
 */
export function decrypt(key: Uint8Array, encrypted: Uint8Array, context: Uint8Array): Buffer {
  const nonce = encrypted.subarray(0, nonceLength);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagLength });
  decipher.setAAD(context).setAuthTag(encrypted.subarray(nonceLength).subarray(-tagLength));
  return Buffer.concat([decipher.update(encrypted.subarray(nonceLength, -tagLength)), decipher.final()]);
}
