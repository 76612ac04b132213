/** `bytes` in base64url without padding (RFC 7515 §2). */
export function toBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}

/**
 * The bytes of a canonical base64url text, or `null`: only `A–Z a–z 0–9 - _`, no padding, no length of 4k+1, unused bits
 * zero (RFC 4648 §3.5). So one sequence of bytes has exactly one text.
 */
export function parseBase64url(text: string): Buffer | null {
  // Node skips what it does not know; only canonical text survives the way back.
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : null;
}
