import { type Argon2Hash, hashArgon2id, isAffordable, type PasswordCost } from "./passwords/argon2.ts";
import type { Matcher } from "./passwords/hash-format.ts";
import { parseStoredHash } from "./passwords/stored-hash.ts";

/** Hashes and checks passwords. */
export interface PasswordHasher {
  /** `password` under a fresh salt, encoded with its parameters (PHC string format). */
  hash(password: string): Promise<string>;
  /**
   * Whether `encoded` was made from `password`; `null`: it was not. Where there is nothing to verify (`null`, and what
   * `parseStoredHash` refuses) the answer is `null` after the same work as hashing, so that the time does not tell which
   * users exist. Never throws for what `encoded` holds.
   */
  verify(encoded: string | null, password: string): Promise<PasswordMatch | null>;
}

/** A password that is right. */
export interface PasswordMatch {
  /** What was hashed: the password as given or, for a hash of Django's, perhaps without the white space around it. */
  readonly password: string;
  /** Whether a hash made now would be better: this one is weaker, or of a format of Django's. */
  readonly isOutdated: boolean;
}

/** The parameters that the OWASP Password Storage Cheat Sheet gives for argon2id: 19 MiB, two passes, one thread. */
const owaspCost: PasswordCost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Of our own hashes, in bytes. */
const saltLength = 16;
const outputLength = 32;

/**
 * A hasher of argon2id (RFC 9106), off the event loop, by default at OWASP's parameters. It also verifies the formats of
 * Django that `parseStoredHash` knows.
 *
 * @throws TypeError where the cost is more than `verify` would spend.
 */
export function createPasswordHasher(options: Partial<PasswordCost> = {}): PasswordHasher {
  const cost: PasswordCost = { ...owaspCost, ...options };
  if (!isAffordable(cost)) {
    throw new TypeError("password cost: at most 256 MiB, 1 GiB over all passes, and 16 threads");
  }

  async function verifyOwn(hash: Argon2Hash, password: string): Promise<PasswordMatch | null> {
    return (await hash.matches(password)) ? { password, isOutdated: isWeaker(hash, cost) } : null;
  }

  return Object.freeze({
    hash: (password: string) => hashArgon2id(password, cost),
    async verify(encoded: string | null, password: string): Promise<PasswordMatch | null> {
      const stored = parseStoredHash(encoded ?? "");
      if (stored.outcome === "own") return verifyOwn(stored.hash, password);
      if (stored.outcome === "django") return verifyDjango(stored.matches, password);
      await hashArgon2id(password, cost);
      return null;
    },
  });
}

/** simplejwt trims what it is given at login, so there it does not matter whether a user types a blank too many. */
async function verifyDjango(matches: Matcher, password: string): Promise<PasswordMatch | null> {
  for (const candidate of new Set([password, password.trim()])) {
    if (await matches(candidate)) return { password: candidate, isOutdated: true };
  }
  return null;
}

function isWeaker(hash: Argon2Hash, cost: PasswordCost): boolean {
  return (
    hash.memoryCost < cost.memoryCost ||
    hash.timeCost < cost.timeCost ||
    hash.parallelism < cost.parallelism ||
    hash.saltLength < saltLength ||
    hash.outputLength < outputLength
  );
}
