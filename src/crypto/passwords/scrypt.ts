import { type ScryptOptions, scrypt } from "node:crypto";
import { isEqual, malformed, type Parsed, parseBase64, parseCount, unaffordable } from "./hash-format.ts";

/** The limits of one hash: 256 MiB, and four times the work of OWASP's parameters N = 2^17, r = 8, p = 1. */
const maxMemory = 256 * 1024 * 1024;
const maxWork = 2 ** 22;

const outputLength = 64;

/** Parses `N$salt$r$p$hash`: scrypt (RFC 7914). The salt is used as UTF-8 bytes, and the hash is in base64. */
export function parseScrypt(fields: string): Parsed {
  const [n = "", salt = "", r = "", p = "", output = "", ...rest] = fields.split("$");
  const [cost, blockSize, parallelization] = [parseCount(n), parseCount(r), parseCount(p)];
  const expected = parseBase64(output);
  if (cost === null || blockSize === null || parallelization === null || rest.length > 0) return malformed;
  if (128 * cost * blockSize > maxMemory || cost * blockSize * parallelization > maxWork) return unaffordable;
  if (128 * blockSize * (cost + parallelization + 2) > 2 * maxMemory) return unaffordable;
  // RFC 7914 §6: N is less than 2^(128 · r / 8). The function throws otherwise.
  const isInRange = isPowerOfTwo(cost) && Math.log2(cost) < 16 * blockSize;
  if (!isInRange || salt === "" || expected?.length !== outputLength) return malformed;
  const options = { cost, blockSize, parallelization, maxmem: 2 * maxMemory };
  return { matches: async (password) => isEqual(await derive(password, salt, options), expected) };
}

/** Returns whether N is a power of two greater than one. N is below 2^31 here. */
function isPowerOfTwo(n: number): boolean {
  return n > 1 && (n & (n - 1)) === 0;
}

function derive(password: string, salt: string, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, outputLength, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
