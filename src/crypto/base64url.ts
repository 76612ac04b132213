/** Returns `bytes` in base64url without padding (RFC 7515 §2). */
export function toBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}

/**
 * Returns the bytes of a canonical base64url text, or `null` if the text isn't canonical. A canonical text has only the
 * characters `A–Z a–z 0–9 - _`, no padding, no length of 4k+1, and zeros as unused bits (RFC 4648 §3.5). So every sequence
 * of bytes has exactly one text.
 */
export function parseBase64url(text: string): Buffer | null {
  // Node skips invalid characters, so the text is canonical only if encoding the bytes returns it.
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : null;
}
