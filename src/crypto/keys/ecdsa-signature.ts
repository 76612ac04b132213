/*
 * JWS has the numbers of an ECDSA signature as r ‖ s (RFC 7518 §3.4), and OpenSSL as a SEQUENCE of two INTEGERs in DER
 * (RFC 3279 §2.2.3). `node:crypto` converts too, but that makes a verification by half slower: docs/decisions/keys.md.
 */

/**
 * Converts r ‖ s to DER. The range of the numbers is not checked, because OpenSSL refuses numbers that are zero or too
 * large.
 */
export function toDer(signature: Uint8Array): Buffer {
  const { length } = signature;
  const integers = [toInteger(signature, 0, length / 2), toInteger(signature, length / 2, length)];
  const size = integers.reduce((sum, { bytes }) => sum + 2 + bytes, 0);
  const der = Buffer.allocUnsafe(size + (size < 0x80 ? 2 : 3));
  let at = 0;
  const write = (byte: number) => {
    der[at++] = byte;
  };
  write(0x30);
  if (size >= 0x80) write(0x81);
  write(size);
  for (const { start, end, bytes } of integers) {
    write(0x02);
    write(bytes);
    if (bytes > end - start) write(0);
    for (let i = start; i < end; i++) write(signature[i] ?? 0);
  }
  return der;
}

/** Returns the position of a number's first byte after leading zeros, and how many bytes the number has as an INTEGER. */
function toInteger(signature: Uint8Array, from: number, end: number) {
  let start = from;
  while (start < end - 1 && signature[start] === 0) start++;
  // A first bit that is set would be a sign, so a zero goes before it.
  return { start, end, bytes: end - start + ((signature[start] ?? 0) >> 7) };
}

/** Converts a signature by OpenSSL to r ‖ s, which have `size` bytes each. */
export function fromDer(der: Uint8Array, size: number): Buffer {
  const signature = Buffer.alloc(2 * size);
  let at = der[1] === 0x81 ? 3 : 2;
  for (const end of [size, 2 * size]) {
    const next = at + 2 + (der[at + 1] ?? 0);
    // The byte that keeps a number from being negative.
    const digits = der.subarray(der[at + 2] === 0 ? at + 3 : at + 2, next);
    signature.set(digits, end - digits.length);
    at = next;
  }
  return signature;
}
