import { availableParallelism } from "node:os";
import { AuthError } from "../core/errors.ts";
import { toPasswordCost } from "../core/settings/password-cost.ts";
import { toPeppers } from "../core/settings/peppers.ts";
import { defaultSettings, type Settings } from "../core/settings/settings.ts";
import { type Argon2Hash, hashArgon2id, isWeaker } from "./passwords/argon2.ts";
import type { Matcher } from "./passwords/hash-format.ts";
import { createHashQueue, type HashLoad } from "./passwords/hash-queue.ts";
import { createPeppers, type PepperKey, type Peppers } from "./passwords/peppers.ts";
import { parseStoredHash } from "./passwords/stored-hash.ts";

/** Hashes and checks passwords, off the event loop, a few at a time. */
export interface PasswordHasher {
  /**
   * `password` under a fresh salt, encoded with its parameters (PHC string format).
   *
   * @throws AuthError `unavailable` at once where too many wait.
   */
  hash(password: string): Promise<string>;
  /** As `hash`, but for what can wait until another time: `null` where it would not begin at this moment. */
  hashIfFree(password: string): Promise<string | null>;
  /**
   * Whether `encoded` was made from `password`; `null`: it was not. Where there is nothing to verify (`null`, and what
   * `parseStoredHash` refuses) the answer is `null` after the same work as hashing, so that the time does not tell which
   * users exist.
   *
   * @throws AuthError `unavailable` at once where too many wait, and, with a cause, where `encoded` needs a pepper that
   * is not here.
   */
  verify(encoded: string | null, password: string): Promise<PasswordMatch | null>;
  /** For what comes before a hash. @throws AuthError `unavailable` where too many wait. */
  requireRoom(): void;
  load(): HashLoad;
}

/** A password that is right. */
export interface PasswordMatch {
  /** What was hashed: the password as given or, for a hash of Django's, perhaps without the white space around it. */
  readonly password: string;
  /** Whether a hash made now would be better: this one is weaker, of another pepper, or of a format of Django's. */
  readonly isOutdated: boolean;
}

/** What `createPasswordHasher` goes by. */
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

/** Leaves a core to the event loop, and of the four threads of Node's pool one to files and host names. */
const defaultConcurrency = Math.max(1, Math.min(availableParallelism() - 1, 3));

/**
 * A hasher of argon2id (RFC 9106), by default at OWASP's parameters. It also verifies the formats of Django that
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
      if (stored.outcome === "django") return queue.run(() => verifyDjango(stored.matches, password));
      await hash(password);
      return null;
    },
    requireRoom: queue.requireRoom,
    load: queue.load,
  });
}

/** @throws AuthError `unavailable` where the pepper is not here: no answer about the password would be true. */
function findPepper({ keyId }: Argon2Hash, peppers: Peppers): PepperKey | undefined {
  if (keyId === null) return undefined;
  const pepper = peppers.find(keyId);
  if (pepper !== undefined) return pepper;
  throw new AuthError("unavailable", "a stored password hash needs a pepper that is not here", {
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
async function verifyDjango(matches: Matcher, password: string): Promise<PasswordMatch | null> {
  for (const candidate of new Set([password, password.trim()])) {
    if (await matches(candidate)) return { password: candidate, isOutdated: candidate === password };
  }
  return null;
}
