/*
 * JWS has the numbers of an ECDSA signature as r ‖ s (RFC 7518 §3.4), and OpenSSL as a SEQUENCE of two INTEGERs in DER
 * (RFC 3279 §2.2.3). `node:crypto` converts too, but that makes a verification by half slower: docs/decisions/keys.md.
 */

/** Returns r ‖ s in DER. The range of the numbers is not checked: OpenSSL refuses those that are zero or too large. */
export function toDer(signature: Uint8Array): Buffer {
  const half = signature.length / 2;
  const r = toInteger(signature.subarray(0, half));
  const s = toInteger(signature.subarray(half));
  const length = r.length + s.length;
  return Buffer.concat([Uint8Array.from(length < 0x80 ? [0x30, length] : [0x30, 0x81, length]), r, s]);
}

/** Returns a signature that OpenSSL made as r ‖ s, each of `size` bytes. */
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

/** Returns a number as an INTEGER: without leading zeros, but with one if it would be negative. */
function toInteger(digits: Uint8Array): Uint8Array {
  let start = 0;
  while (start < digits.length - 1 && digits[start] === 0) start++;
  const isPadded = (digits[start] ?? 0) >= 0x80;
  const length = digits.length - start + (isPadded ? 1 : 0);
  const integer = new Uint8Array(2 + length);
  integer[0] = 0x02;
  integer[1] = length;
  integer.set(digits.subarray(start), isPadded ? 3 : 2);
  return integer;
}
