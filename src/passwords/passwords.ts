import type { HashLoad } from "../crypto/passwords/hash-queue.ts";

/** Hashes, verifies and checks passwords. It keeps no passwords and knows no users. */
export interface Passwords {
  /**
   * Hashes a password with argon2id and a new salt, outside the event loop. It doesn't check the password: call `check` first.
   *
   * @returns the text to store, at most 512 characters: the hash with its parameters, in the PHC string format.
   * @throws AuthError `unavailable` immediately if too many passwords are waiting to be hashed. `password_refused` if the
   * password is longer than 16,384 characters, which `verify` would refuse.
   * @throws TypeError if `password` is not a string.
   * @example
   * await passwords.check(password, { username });
   * const passwordHash = await passwords.hash(password);
   */
  hash(password: string): Promise<string>;
  /**
   * Verifies a password. For a user who doesn't exist or has no password, pass `null`: it takes as long as a wrong password, so
   * the time of the answer doesn't tell which users exist. A password of more than 16,384 characters is wrong without being
   * hashed, even if nothing is stored. The server's login refuses these, too.
   *
   * @param stored the stored hash: of `hash`, of another argon2id library, of bcrypt (`$2b$…`), or in one of Django's formats. A
   * text in none of these formats matches no password.
   * @throws AuthError `unavailable` immediately if too many passwords are waiting to be hashed. `unavailable` with a `cause` if the
   * hash needs a pepper that is not configured.
   * @throws TypeError if `password` is not a string.
   * @example
   * const { isCorrect, newHash } = await passwords.verify(user?.passwordHash ?? null, password);
   * if (isCorrect && newHash !== null) await replaceHash(user, newHash);
   */
  verify(stored: string | null | undefined, password: string): Promise<PasswordVerification>;
  /**
   * Checks a new password as NIST SP 800-63B-4 says: its length, that it isn't among 17,950 common passwords, and that it doesn't contain the
   * username.
   *
   * @throws AuthError `password_refused`. Its `reason` is a sentence for the user.
   * @throws TypeError if `password` is not a string.
   * @example
   * try {
   *   await passwords.check(password, { username });
   * } catch (error) {
   *   if (error instanceof AuthError && error.code === "password_refused") showProblem(error.reason);
   *   else throw error;
   * }
   */
  check(password: string, options?: PasswordCheckOptions): Promise<void>;
  /**
   * Loads the native addon that hashes passwords. Call it at startup, so that a machine without the addon fails there and not at
   * the first login.
   *
   * @throws Error if the addon is missing.
   */
  ready(): Promise<void>;
  /** Returns how many passwords are being hashed, and how many wait for that. */
  stats(): HashLoad;
}

/** What to check a new password against. */
export interface PasswordCheckOptions {
  /** What the user logs in with. A password must not contain it, in upper or lower case. Default: not checked. */
  readonly username?: string | undefined;
}

/** The result of `Passwords.verify`. */
export interface PasswordVerification {
  /** Whether the password is correct. */
  readonly isCorrect: boolean;
  /**
   * Whether the stored hash is correct but weaker than a new one: it is bcrypt's or Django's, has lower costs, or another pepper.
   * It stays false if the hash may cover only a part of the password.
   */
  readonly needsUpgrade: boolean;
  /**
   * The hash to store instead, if `needsUpgrade`. Replace the hash only if the stored one is still the same, because the
   * password may have changed meanwhile. `null` if no upgrade is needed, or if the machine is too busy: then a later login has it.
   */
  readonly newHash: string | null;
}
