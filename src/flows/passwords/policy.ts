import { AuthError } from "../../core/errors.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { foldPassword, normalizePassword } from "./text.ts";

/**
 * The maximum number of characters of a new password. In UTF-8, these are at most 4 KiB, which fits into any request body.
 */
export const maxPasswordLength = 1_024;

/**
 * The length of the shortest username that a password must not contain. Shorter usernames are part of too many good
 * passwords.
 */
const minCheckedUsername = 3;

type Policy = Pick<Settings, "minPasswordLength">;

/**
 * Returns what is wrong with a new password, as a sentence for the user, or `null`. The length is counted in code points of
 * the normalized form. A mixture of letters, digits and symbols is not required.
 *
 * @see https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver NIST SP 800-63B-4 §3.1.1.2
 */
export async function findPasswordFault(
  { minPasswordLength }: Policy,
  password: string,
  username: string,
): Promise<string | null> {
  const length = [...normalizePassword(password)].length;
  if (length < minPasswordLength) {
    return `This password is too short. It must contain at least ${minPasswordLength} characters.`;
  }
  if (length > maxPasswordLength) {
    return `This password is too long. It can contain at most ${maxPasswordLength} characters.`;
  }
  // In UTF-8, half of a surrogate pair becomes U+FFFD: such passwords would all be the same.
  if (/\p{Surrogate}/u.test(password)) return "This password has half a character in it. Type it again.";
  if (password.trim() === "") return "This password is blank. It must contain more than white space.";
  const name = foldPassword(username);
  if ([...name].length >= minCheckedUsername && foldPassword(password).includes(name)) {
    return "This password contains the username. Choose one without it.";
  }
  const { commonPasswords } = await import("./common-passwords.ts");
  return commonPasswords.has(foldPassword(password))
    ? "This password is too common: it is among those that attackers try first. Choose another."
    : null;
}

/**
 * Checks a new password.
 *
 * @throws AuthError `password_refused`, whose `reason` is a sentence for the user.
 */
export async function requireGoodPassword(policy: Policy, password: string, username: string): Promise<void> {
  const fault = await findPasswordFault(policy, password, username);
  if (fault !== null) throw new AuthError("password_refused", fault);
}
