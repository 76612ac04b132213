import { availableParallelism } from "node:os";
import { AuthError } from "../core/errors.ts";
import { toPasswordCost } from "../core/settings/password-cost.ts";
import { toPeppers } from "../core/settings/peppers.ts";
import { defaultSettings, type Settings } from "../core/settings/settings.ts";
import { trace } from "../core/tracing.ts";
import { type Argon2Hash, hashArgon2id, isWeaker, loadArgon2 } from "./passwords/argon2.ts";
import type { Verifiable } from "./passwords/hash-format.ts";
import { createHashQueue, type HashLoad } from "./passwords/hash-queue.ts";
import { createPeppers, type PepperKey, type Peppers } from "./passwords/peppers.ts";
import { parseStoredHash } from "./passwords/stored-hash.ts";

/** Hashes and verifies passwords outside the event loop, a few at a time. */
export interface PasswordHasher {
  /**
   * Hashes `password` with a new salt.
   *
   * @returns the hash with its parameters, in the PHC string format.
   * @throws AuthError `unavailable` immediately if too many passwords are waiting to be hashed.
   */
  hash(password: string): Promise<string>;
  /** Does the same as `hash`, but returns `null` if hashing can't start immediately. */
  hashIfFree(password: string): Promise<string | null>;
  /**
   * Verifies a password. If there is no hash to verify (`null`, or a text that `parseStoredHash` refuses), it still
   * computes a hash, so that the response time does not reveal which users exist.
   *
   * @param encoded the stored hash.
   * @returns `null` if the password is wrong.
   * @throws AuthError `unavailable` immediately if too many passwords are waiting to be hashed. `unavailable` with a
   * `cause` if `encoded` needs a pepper that is not configured.
   */
  verify(encoded: string | null, password: string): Promise<PasswordMatch | null>;
  /**
   * Checks, before any other work, that there is room for another hash.
   *
   * @throws AuthError `unavailable` if too many passwords are waiting to be hashed.
   */
  requireRoom(): void;
  /**
   * Loads the native addon that hashes passwords, so that a machine without the addon fails at startup.
   *
   * @throws Error if it is missing.
   */
  prepare(): Promise<void>;
  /** Returns the state of the queue. */
  load(): HashLoad;
}

/** The result of verifying a correct password. */
export interface PasswordMatch {
  /**
   * The password that was hashed. It is the given password or, for a hash of Django, possibly that password without the
   * white space around it.
   */
  readonly password: string;
  /**
   * Whether to replace the hash, because it is weaker than a new one, has a different pepper, or is in one of Django's
   * formats. It is never true if the hash covers only a part of the password, because the real password may be different.
   */
  readonly isOutdated: boolean;
}

/** The settings that a password hasher depends on. */
export type HasherSettings = Pick<
  Settings,
  | "passwordMemoryCost"
  | "passwordTimeCost"
  | "passwordParallelism"
  | "passwordPeppers"
  | "passwordHashConcurrency"
  | "passwordQueueLimit"
  | "acceptMd5PasswordHashes"
>;

/**
 * The default number of passwords that are hashed at the same time. It leaves one core for the event loop, and one of the
 * four threads of Node's pool for files and host names.
 */
const defaultConcurrency = Math.max(1, Math.min(availableParallelism() - 1, 3));

/**
 * Creates a hasher that uses argon2id (RFC 9106), by default with OWASP's parameters. It also verifies Django's formats
 * that `parseStoredHash` knows.
 */
export function createPasswordHasher(given: Partial<HasherSettings> = {}): PasswordHasher {
  const settings: HasherSettings = { ...defaultSettings, ...given };
  const cost = toPasswordCost(settings);
  const peppers = createPeppers(toPeppers(settings.passwordPeppers));
  const { passwordHashConcurrency, passwordQueueLimit: limit, acceptMd5PasswordHashes: acceptMd5 } = settings;
  const concurrency = passwordHashConcurrency ?? defaultConcurrency;
  const queue = createHashQueue({ concurrency, limit });

  const hash = (password: string) =>
    trace("tokenpair:hash", { operation: "hash" }, () =>
      queue.run(() => hashArgon2id(password, cost, peppers.current)),
    );
  const match = <T>(check: () => Promise<T>) =>
    trace("tokenpair:hash", { operation: "verify" }, () => queue.run(check));

  async function verifyOwn(stored: Argon2Hash, password: string): Promise<PasswordMatch | null> {
    const pepper = findPepper(stored, peppers);
    if (!(await match(() => stored.matches(password, pepper?.key)))) return null;
    return { password, isOutdated: isWeaker(stored, cost) || pepper !== peppers.current };
  }

  return Object.freeze({
    hash,
    hashIfFree: async (password: string) => (queue.isFree() ? hash(password) : null),
    async verify(encoded: string | null, password: string): Promise<PasswordMatch | null> {
      const stored = parseStoredHash(encoded ?? "", { acceptMd5 });
      if (stored.outcome === "own") return verifyOwn(stored.hash, password);
      if (stored.outcome === "django") return match(() => verifyDjango(stored, password));
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

/**
 * Returns the pepper of a hash.
 *
 * @throws AuthError `unavailable` if the pepper is not configured. In that case, the password can't be verified.
 */
function findPepper({ keyId }: Argon2Hash, peppers: Peppers): PepperKey | undefined {
  if (keyId === null) return undefined;
  const pepper = peppers.find(keyId);
  if (pepper !== undefined) return pepper;
  throw new AuthError("unavailable", "a stored password hash needs a pepper that is not configured", {
    cause: new Error(`passwordPeppers: ${toPrintedId(keyId)} is missing, and stored hashes need it; put it back`),
  });
}

/**
 * Returns a pepper's id for an error message. If it doesn't have the form of an id, it may be any text from the database,
 * so it isn't shown.
 */
function toPrintedId(keyId: Uint8Array): string {
  const id = Buffer.from(keyId).toString("latin1");
  return /^[\w-]+$/.test(id) ? id : "a pepper";
}

/**
 * Verifies a password against one of Django's hashes. simplejwt trims the password at login, so a client can send, for
 * example, an extra line end without noticing. If only the trimmed password matches, the hash isn't replaced: a new hash of
 * the trimmed password would no longer match what that client sends.
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
