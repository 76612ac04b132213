/** The numbers of an RSA key, each in base64url, as in a JWK. */
type RsaNumbers = Readonly<Record<"n" | "e" | "d" | "p" | "q" | "dp" | "dq" | "qi", string>>;

const leastBits = 2_048;

/**
 * The maximum number of bits of an RSA modulus. Signing with a longer key blocks the process for more than ten
 * milliseconds.
 */
const mostBits = 8_192;

/**
 * The minimum exponent, which is also the usual one. With lower exponents, signatures can be forged if a verifier doesn't
 * check the padding carefully.
 */
const leastExponent = 65_537n;

/**
 * Returns why a private RSA key must not be used for signing, or `null` if it may be used. The text completes a sentence
 * that begins with the setting's name.
 */
export function findRsaFault(numbers: RsaNumbers): string | null {
  const fault = findPublicRsaFault(numbers);
  if (fault !== null) return fault;
  if (!isConsistent(numbers)) return "is an RSA key whose numbers don't belong together";
  if (isRocaModulus(toNumber(numbers.n))) return "is an RSA key of a chip whose keys can be factored (CVE-2017-15361)";
  return null;
}

/** Returns why the public half of an RSA key must not be used, to be read after the setting's name; `null` if it may. */
export function findPublicRsaFault({ n, e }: Pick<RsaNumbers, "n" | "e">): string | null {
  const exponent = toNumber(e);
  const bits = toNumber(n).toString(2).length;
  if (bits < leastBits || bits > mostBits) {
    return `must have ${leastBits} to ${mostBits} bits as an RSA key, got ${bits}`;
  }
  return exponent < leastExponent || exponent % 2n === 0n ? "has an RSA exponent that is even or below 65537" : null;
}

/**
 * Returns whether the numbers belong together. OpenSSL signs with the primes, and doesn't compare them with the modulus or
 * with `d`.
 */
function isConsistent(numbers: RsaNumbers): boolean {
  const read = (name: keyof RsaNumbers) => toNumber(numbers[name]);
  const [d, p, q] = [read("d"), read("p"), read("q")];
  if (p < 3n || q < 3n || p * q !== read("n")) return false;
  if ([p, q].some((prime) => (read("e") * d) % (prime - 1n) !== 1n)) return false;
  return read("dp") === d % (p - 1n) && read("dq") === d % (q - 1n) && (read("qi") * q) % p === 1n;
}

const toNumber = (text: string) => BigInt(`0x0${Buffer.from(text, "base64url").toString("hex")}`);

/**
 * The odd primes up to 167. Their product is a factor of the number from which the faulty generator builds keys of 512 bits
 * and more.
 */
const primes = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113,
  127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/**
 * Returns whether a modulus has the fingerprint of a faulty key generator: modulo each of the small primes, it is a power
 * of 65537. Only one in 10⁸ other keys has this fingerprint.
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
