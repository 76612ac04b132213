import { AuthError } from "../core/errors.ts";
import { toShown } from "../core/settings/faults.ts";
import { requireOptions } from "../core/settings/unknown-options.ts";
import { createPasswordHasher } from "../crypto/passwords.ts";
import { requireGoodPassword } from "../flows/passwords/policy.ts";
import { normalizePassword, verifyPassword } from "../flows/passwords/text.ts";
import { type PasswordsOptions, toPasswordSettings } from "./options.ts";
import type { PasswordCheckOptions, Passwords, PasswordVerification } from "./passwords.ts";

const wrong: PasswordVerification = Object.freeze({ isCorrect: false, needsUpgrade: false, newHash: null });
const correct: PasswordVerification = Object.freeze({ isCorrect: true, needsUpgrade: false, newHash: null });

/**
 * The maximum length of a password that can be hashed or verified, in UTF-16 code units. The server's login refuses longer ones
 * too: the body of a request has at most as many bytes.
 */
const maxLength = 16_384;

/**
 * Creates functions that hash, verify and check passwords as tokenpair does for its own user table. Create one for the whole
 * process, because its queue limits how many passwords are hashed at the same time.
 *
 * @throws SettingError if an option has a wrong value.
 * @throws TypeError if an option is unknown.
 * @example
 * const passwords = createPasswords({ minLength: 15 });
 * await passwords.check(password, { username });
 * const passwordHash = await passwords.hash(password);
 */
export function createPasswords(options: PasswordsOptions = {}): Passwords {
  const settings = toPasswordSettings(options);
  const hasher = createPasswordHasher(settings);

  return Object.freeze<Passwords>({
    async hash(password) {
      requireText("hash", password);
      if (password.length > maxLength) {
        throw new AuthError("password_refused", "This password is too long. Choose a shorter one.");
      }
      return hasher.hash(normalizePassword(password));
    },
    async verify(stored, password) {
      requireText("verify", password);
      if (password.length > maxLength) return wrong;
      const match = await verifyPassword(hasher, toEncoded(stored), password);
      if (match === null) return wrong;
      if (!match.isOutdated) return correct;
      const newHash = await hasher.hashIfFree(normalizePassword(match.password));
      return Object.freeze({ isCorrect: true, needsUpgrade: true, newHash });
    },
    async check(password, given: PasswordCheckOptions = {}) {
      requireText("check", password);
      requireOptions("check", given, ["username"]);
      await requireGoodPassword(settings, password, given.username ?? "");
    },
    ready: hasher.prepare,
    stats: hasher.load,
  });
}

/** Checks what a request's body may not have. The message doesn't show the value. */
function requireText(method: string, password: unknown): void {
  if (typeof password === "string") return;
  const shown = toShown(password);
  throw new TypeError(
    `${method}: the password must be a string, got ${typeof password === "number" ? "a number" : shown}`,
  );
}

/** Returns a stored hash in the form that the hasher reads: a plain bcrypt hash has no name in front of it. */
function toEncoded(stored: string | null | undefined): string | null {
  if (typeof stored !== "string") return null;
  return stored.startsWith("$2") ? `bcrypt$${stored}` : stored;
}
