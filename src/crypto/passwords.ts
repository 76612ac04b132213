import { availableParallelism } from "node:os";
import { AuthError } from "../core/errors.ts";
import { toPasswordCost } from "../core/settings/password-cost.ts";
import { toPeppers } from "../core/settings/peppers.ts";
import { defaultSettings, type Settings } from "../core/settings/settings.ts";
import { type Argon2Hash, hashArgon2id, isWeaker, loadArgon2 } from "./passwords/argon2.ts";
import type { Verifiable } from "./passwords/hash-format.ts";
import { createHashQueue, type HashLoad } from "./passwords/hash-queue.ts";
import { createPeppers, type PepperKey, type Peppers } from "./passwords/peppers.ts";
import { parseStoredHash } from "./passwords/stored-hash.ts";

/** Hashes and verifies passwords, off the event loop, a few at a time. */
export interface PasswordHasher {
  /**
   * Hashes `password` with a fresh salt.
   *
   * @returns the hash with its parameters, in the PHC string format.
   * @throws AuthError `unavailable`, at once, if too many passwords wait.
   */
  hash(password: string): Promise<string>;
  /** As `hash`, but returns `null` if the hash could not start at once. */
  hashIfFree(password: string): Promise<string | null>;
  /**
   * Verifies a password. If there is nothing to verify (`null`, or a text that `parseStoredHash` refuses), it still computes a
   * hash, so that the response time does not reveal which users exist.
   *
   * @param encoded the stored hash.
   * @returns `null` if the password is wrong.
   * @throws AuthError `unavailable`, at once, if too many passwords wait; with a cause if `encoded` needs a pepper that is
   * not configured.
   */
  verify(encoded: string | null, password: string): Promise<PasswordMatch | null>;
  /** Checks, before any other work, that a hash has a place. @throws AuthError `unavailable` if too many passwords wait. */
  requireRoom(): void;
  /** Loads the native addon that hashes, so that a machine without it fails at the start. @throws Error if it is missing. */
  prepare(): Promise<void>;
  /** Returns the state of the queue. */
  load(): HashLoad;
}

/** A right password. */
export interface PasswordMatch {
  /** What was hashed: the password as given or, for a hash of Django, possibly without the white space around it. */
  readonly password: string;
  /**
   * Whether to replace the hash: it is weaker than a new one, has another pepper, or is in a format of Django. Never true
   * if the hash covers only a part of the password, because the real one may be another.
   */
  readonly isOutdated: boolean;
}

/** The settings of a password hasher. */
export type PasswordSettings = Pick<
  Settings,
  | "passwordMemoryCost"
  | "passwordTimeCost"
  | "passwordParallelism"
  | "passwordPeppers"
  | "passwordHashConcurrency"
  | "passwordQueueLimit"
  | "acceptMd5PasswordHashes"
>;

/** Leaves one core to the event loop, and one of the four threads of Node's pool to files and host names. */
const defaultConcurrency = Math.max(1, Math.min(availableParallelism() - 1, 3));

/**
 * Creates a hasher of argon2id (RFC 9106), by default with OWASP's parameters. It also verifies the formats of Django that
 * `parseStoredHash` knows.
 */
export function createPasswordHasher(given: Partial<PasswordSettings> = {}): PasswordHasher {
  const settings: PasswordSettings = { ...defaultSettings, ...given };
  const cost = toPasswordCost(settings);
  const peppers = createPeppers(toPeppers(settings.passwordPeppers));
  const { passwordHashConcurrency, passwordQueueLimit: limit, acceptMd5PasswordHashes: acceptMd5 } = settings;
  const concurrency = passwordHashConcurrency ?? defaultConcurrency;
  const queue = createHashQueue({ concurrency, limit });

  const hash = (password: string) => queue.run(() => hashArgon2id(password, cost, peppers.current));

  async function verifyOwn(stored: Argon2Hash, password: string): Promise<PasswordMatch | null> {
    const pepper = findPepper(stored, peppers);
    if (!(await queue.run(() => stored.matches(password, pepper?.key)))) return null;
    return { password, isOutdated: isWeaker(stored, cost) || pepper !== peppers.current };
  }

  return Object.freeze({
    hash,
    hashIfFree: async (password: string) => (queue.isFree() ? hash(password) : null),
    async verify(encoded: string | null, password: string): Promise<PasswordMatch | null> {
      const stored = parseStoredHash(encoded ?? "", { acceptMd5 });
      if (stored.outcome === "own") return verifyOwn(stored.hash, password);
      if (stored.outcome === "django") return queue.run(() => verifyDjango(stored, password));
      await hash(password);
      return null;
    },
    async prepare() {
      await loadArgon2();
    },
    requireRoom: queue.requireRoom,
    load: queue.load,
  });
}

/** @throws AuthError `unavailable` if the pepper is not configured: then the password can't be judged. */
function findPepper({ keyId }: Argon2Hash, peppers: Peppers): PepperKey | undefined {
  if (keyId === null) return undefined;
  const pepper = peppers.find(keyId);
  if (pepper !== undefined) return pepper;
  throw new AuthError("unavailable", "a stored password hash needs a pepper that is not configured", {
    cause: new Error(`passwordPeppers: ${toPrintedId(keyId)} is missing, and stored hashes need it; put it back`),
  });
}

/** An id as the setting has them, and no other text that may be in a database. */
function toPrintedId(keyId: Uint8Array): string {
  const id = Buffer.from(keyId).toString("latin1");
  return /^[\w-]+$/.test(id) ? id : "a pepper";
}

/**
 * simplejwt trims what it is given at login, so there it does not matter whether a client sends a line end too many. As long as
 * one does, the hash stays Django's: one made here of the trimmed password would not open to that client again.
 */
async function verifyDjango(
  { matches, coversWhole = () => true }: Verifiable,
  password: string,
): Promise<PasswordMatch | null> {
  for (const candidate of new Set([password, password.trim()])) {
    if (!(await matches(candidate))) continue;
    // bcrypt, and HMAC in PBKDF2 and scrypt, can't tell some passwords with a NUL from others without.
    const isWhole = coversWhole(candidate) && !candidate.includes("\0");
    return { password: candidate, isOutdated: candidate === password && isWhole };
  }
  return null;
}
