/*
 * ECDSA over P-256 with the nonce of RFC 6979, so that the vectors are the same in every run: `node:crypto` takes a random one.
 * For public test keys only: it doesn't run in constant time.
 */
import { createHash, createHmac } from "node:crypto";

type Point = readonly [bigint, bigint] | null;

const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
/** The order of the curve's points. */
export const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const generator: Point = [
  0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
];

const modulo = (value: bigint, by: bigint) => ((value % by) + by) % by;

/** Returns the inverse by Euclid's algorithm. */
function inverse(value: bigint, by: bigint): bigint {
  let [rest, next] = [by, modulo(value, by)];
  let [factor, nextFactor] = [0n, 1n];
  while (next !== 0n) {
    const quotient = rest / next;
    [rest, next] = [next, rest - quotient * next];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  return modulo(factor, by);
}

function add(a: Point, b: Point): Point {
  if (a === null) return b;
  if (b === null) return a;
  const [x1, y1] = a;
  const [x2, y2] = b;
  if (x1 === x2 && y1 !== y2) return null;
  const slope = x1 === x2 ? (3n * x1 * x1 - 3n) * inverse(2n * y1, p) : (y2 - y1) * inverse(x2 - x1, p);
  const x = modulo(slope * slope - x1 - x2, p);
  return [x, modulo(slope * (x1 - x) - y1, p)];
}

/** The generator, and twice the one before. */
const doublings: Point[] = [generator];
for (let i = 1; i < 256; i++) doublings.push(add(doublings[i - 1] ?? null, doublings[i - 1] ?? null));

/** Returns the point that belongs to a private key. */
export function toPoint(scalar: bigint): readonly [bigint, bigint] {
  let result: Point = null;
  for (const [i, doubling] of doublings.entries()) if ((scalar >> BigInt(i)) & 1n) result = add(result, doubling);
  if (result === null) throw new Error("not a private key");
  return result;
}

/** Returns a number as 32 bytes, the greatest first. */
export const toBytes = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, "0"), "hex");

/** Returns the number that bytes are, the greatest first. */
export const toNumber = (bytes: Uint8Array): bigint => BigInt(`0x0${Buffer.from(bytes).toString("hex")}`);

/** Returns the nonce for a message: RFC 6979 §3.2 with SHA-256. */
function toNonce(secret: bigint, digest: Buffer): bigint {
  const hmac = (key: Buffer, ...parts: Buffer[]) => createHmac("sha256", key).update(Buffer.concat(parts)).digest();
  const seed = [toBytes(secret), toBytes(modulo(toNumber(digest), order))];
  let key: Buffer = Buffer.alloc(32, 0);
  let value: Buffer = Buffer.alloc(32, 1);
  for (const byte of [0, 1]) {
    key = hmac(key, value, Buffer.of(byte), ...seed);
    value = hmac(key, value);
  }
  for (;;) {
    value = hmac(key, value);
    const nonce = toNumber(value);
    if (nonce > 0n && nonce < order) return nonce;
    key = hmac(key, value, Buffer.of(0));
    value = hmac(key, value);
  }
}

/** Signs a text with ES256. @returns r and s, where s is the lower of the two that are right. */
export function signEs256(secret: bigint, text: string): readonly [r: bigint, s: bigint] {
  const digest = createHash("sha256").update(text).digest();
  const nonce = toNonce(secret, digest);
  const r = modulo(toPoint(nonce)[0], order);
  const s = modulo(inverse(nonce, order) * (toNumber(digest) + r * secret), order);
  return [r, s > order / 2n ? order - s : s];
}

/** Returns a signature as JWS has it (RFC 7518 §3.4): r ‖ s. */
export const toJwsSignature = (r: bigint, s: bigint): Buffer => Buffer.concat([toBytes(r), toBytes(s)]);

/** Returns a signature as OpenSSL has it: a SEQUENCE of two INTEGERs in DER. */
export function toDerSignature(...numbers: readonly bigint[]): Buffer {
  const integers = numbers.map((number) => {
    const hex = number.toString(16);
    const even = hex.length % 2 === 0 ? hex : `0${hex}`;
    const bytes = Buffer.from(even.startsWith("0") || even < "8" ? even : `00${even}`, "hex");
    return Buffer.concat([Buffer.of(2, bytes.length), bytes]);
  });
  const content = Buffer.concat(integers);
  return Buffer.concat([Buffer.of(0x30, content.length), content]);
}
