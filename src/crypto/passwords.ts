import { hash, parseOptions, verify } from "@node-rs/argon2";

/** Hashes and checks passwords. */
export interface PasswordHasher {
  /** `password` under a fresh salt, encoded with its parameters (PHC string format). */
  hash(password: string): Promise<string>;
  /**
   * Whether `encoded` was made from `password`. `null`, malformed and unaffordable hashes are false after the same
   * work as any other, so that the time does not tell which users exist. Never throws for what `encoded` holds.
   */
  verify(encoded: string | null, password: string): Promise<boolean>;
}

/** What one hash costs. */
export interface PasswordCost {
  /** KiB. */
  readonly memoryCost: number;
  /** Passes over the memory. */
  readonly timeCost: number;
  /** Threads. */
  readonly parallelism: number;
}

/** The parameters that the OWASP Password Storage Cheat Sheet gives for argon2id: 19 MiB, two passes, one thread. */
const owaspCost: PasswordCost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** The most that checking one stored hash may take: 256 MiB, 1 GiB written in all passes, 16 threads. */
const maxMemory = 262_144;
const maxMemoryWritten = 1_048_576;
const maxParallelism = 16;

/**
 * A hasher of argon2id (RFC 9106), off the event loop, by default at OWASP's parameters.
 *
 * @throws TypeError where the cost is more than `verify` would spend.
 */
export function createPasswordHasher(cost: Partial<PasswordCost> = {}): PasswordHasher {
  const options: PasswordCost = { ...owaspCost, ...cost };
  if (!isAffordable(options)) {
    throw new TypeError("password cost: at most 256 MiB, 1 GiB over all passes, and 16 threads");
  }
  return Object.freeze({
    hash: (password: string) => hash(password, options),
    async verify(encoded: string | null, password: string): Promise<boolean> {
      if (encoded !== null && isUsable(encoded)) return verify(encoded, password);
      await hash(password, options);
      return false;
    },
  });
}

/** Whether `encoded` is a well-formed argon2id hash, long enough to mean something, that may be checked. */
function isUsable(encoded: string): boolean {
  if (!encoded.startsWith("$argon2id$v=19$")) return false;
  try {
    const stored = parseOptions(encoded);
    return stored.outputLen >= 16 && isAffordable(stored);
  } catch {
    return false;
  }
}

function isAffordable({ memoryCost, timeCost, parallelism }: PasswordCost): boolean {
  return memoryCost <= maxMemory && memoryCost * timeCost <= maxMemoryWritten && parallelism <= maxParallelism;
}
