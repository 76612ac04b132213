/*
 * ECDSA with the nonce of RFC 6979, so that the vectors are the same in every run: `node:crypto` takes a random one. For public test
 * keys only: it doesn't run in constant time.
 */
import { createHash, createHmac } from "node:crypto";

type Point = readonly [bigint, bigint] | null;

/** A curve with a = -3, and the hash that JWS uses with it (RFC 7518 §3.4). */
export interface Curve {
  /** The order of the curve's points. */
  readonly order: bigint;
  /** Returns a number as the bytes that JWS has for it, the greatest first. */
  toBytes(value: bigint): Buffer;
  /** Returns the point that belongs to a private key. */
  toPoint(secret: bigint): readonly [bigint, bigint];
  /** Signs a text. @returns r and s, where s is the lower of the two that are right. */
  sign(secret: bigint, text: string): readonly [r: bigint, s: bigint];
}

interface Parameters {
  readonly hash: "sha256" | "sha384" | "sha512";
  readonly p: bigint;
  readonly order: bigint;
  readonly generator: readonly [bigint, bigint];
}

const modulo = (value: bigint, by: bigint) => ((value % by) + by) % by;

/** Returns the number that bytes are, the greatest first. */
export const toNumber = (bytes: Uint8Array): bigint => BigInt(`0x0${Buffer.from(bytes).toString("hex")}`);

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

function createCurve({ hash, p, order, generator }: Parameters): Curve {
  const bits = order.toString(2).length;
  const size = Math.ceil(bits / 8);
  const toBytes = (value: bigint) => Buffer.from(value.toString(16).padStart(size * 2, "0"), "hex");
  /** RFC 6979 §2.3.2: the leftmost bits. */
  const toBits = (bytes: Buffer) => toNumber(bytes) >> BigInt(Math.max(0, bytes.length * 8 - bits));

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
  const doublings: Point[] = [];
  function toPoint(scalar: bigint): readonly [bigint, bigint] {
    if (doublings.length === 0) doublings.push(generator);
    while (doublings.length < bits) doublings.push(add(doublings.at(-1) ?? null, doublings.at(-1) ?? null));
    let result: Point = null;
    for (const [i, doubling] of doublings.entries()) if ((scalar >> BigInt(i)) & 1n) result = add(result, doubling);
    if (result === null) throw new Error("not a private key");
    return result;
  }

  /** Returns the nonce for a message: RFC 6979 §3.2. */
  function toNonce(secret: bigint, digest: Buffer): bigint {
    const hmac = (key: Buffer, ...parts: Buffer[]) => createHmac(hash, key).update(Buffer.concat(parts)).digest();
    const seed = [toBytes(secret), toBytes(modulo(toBits(digest), order))];
    let key: Buffer = Buffer.alloc(digest.length, 0);
    let value: Buffer = Buffer.alloc(digest.length, 1);
    for (const byte of [0, 1]) {
      key = hmac(key, value, Buffer.of(byte), ...seed);
      value = hmac(key, value);
    }
    for (;;) {
      let candidate = Buffer.alloc(0);
      while (candidate.length < size) {
        value = hmac(key, value);
        candidate = Buffer.concat([candidate, value]);
      }
      const nonce = toBits(candidate);
      if (nonce > 0n && nonce < order) return nonce;
      key = hmac(key, value, Buffer.of(0));
      value = hmac(key, value);
    }
  }

  return {
    order,
    toBytes,
    toPoint,
    sign(secret, text) {
      const digest = createHash(hash).update(text).digest();
      const nonce = toNonce(secret, digest);
      const r = modulo(toPoint(nonce)[0], order);
      const s = modulo(inverse(nonce, order) * (toBits(digest) + r * secret), order);
      return [r, s > order / 2n ? order - s : s];
    },
  };
}

/** ES256. */
export const p256 = createCurve({
  hash: "sha256",
  p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  generator: [
    0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
    0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  ],
});

/** ES384. */
export const p384 = createCurve({
  hash: "sha384",
  p: 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
  order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  generator: [
    0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
    0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
  ],
});

/** ES512. */
export const p521 = createCurve({
  hash: "sha512",
  p: 2n ** 521n - 1n,
  order:
    0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  generator: [
    0x00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66n,
    0x011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650n,
  ],
});

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
