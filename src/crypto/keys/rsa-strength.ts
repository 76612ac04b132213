/** The numbers of an RSA key, each in base64url, as a JWK has them. */
interface RsaNumbers {
  readonly n: string;
  readonly e: string;
  readonly p: string;
  readonly q: string;
}

const leastBits = 2_048;

/** A signature by a longer key blocks the process for more than ten milliseconds. */
const mostBits = 8_192;

/** The exponent that everyone uses. Signatures of lower ones can be forged where a verifier is careless about padding. */
const leastExponent = 65_537n;

/** Returns what makes an RSA key too weak to sign, to be read after the setting's name; `null` if nothing does. */
export function findRsaWeakness({ n, e, p, q }: RsaNumbers): string | null {
  const modulus = toNumber(n);
  const exponent = toNumber(e);
  const bits = modulus.toString(2).length;
  if (bits < leastBits || bits > mostBits) {
    return `must have ${leastBits} to ${mostBits} bits as an RSA key, got ${bits}`;
  }
  if (exponent < leastExponent || exponent % 2n === 0n) return "has an RSA exponent that is even or below 65537";
  if (toNumber(p) * toNumber(q) !== modulus) return "is an RSA key whose primes don't belong to its modulus";
  if (isRocaModulus(modulus)) return "is an RSA key of a chip whose keys can be factored (CVE-2017-15361)";
  return null;
}

const toNumber = (text: string) => BigInt(`0x0${Buffer.from(text, "base64url").toString("hex")}`);

/** The odd primes up to 167, which divide the number that keys of 512 bits and more are built from. */
const primes = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
  127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/**
 * Returns whether a modulus has the fingerprint of a faulty key generator: modulo each small prime, it is a power of 65537.
 * Of other keys, one in 10⁸ has it.
 *
 * @see https://doi.org/10.1145/3133956.3133969
 */
function isRocaModulus(modulus: bigint): boolean {
  return primes.every((prime) => {
    const remainder = Number(modulus % BigInt(prime));
    let power = 1;
    do {
      if (power === remainder) return true;
      power = (power * 65_537) % prime;
    } while (power !== 1);
    return false;
  });
}
