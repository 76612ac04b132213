import { AuthError } from "../../core/errors.ts";

/** The maximum number of characters of a username, as in Django. */
const maxUsernameLength = 150;

/** The maximum number of characters of an email address, as in Django and RFC 5321 (§4.5.3.1.3). */
export const maxEmailLength = 254;

/**
 * Matches characters that make a name look like another one: zero-width characters, soft hyphens, fillers, and characters
 * that change the direction of the text.
 *
 * @see https://www.unicode.org/reports/tr36/ Unicode UTR #36
 */
const invisible = /[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Cf}\p{Zl}\p{Zp}]/u;

/** Returns what is wrong with a new username, as a sentence, or `null`. */
export function findUsernameFault(username: string): string | null {
  const trimmed = username.trim();
  if (trimmed === "") return "A username may not be blank.";
  if (trimmed.length > maxUsernameLength) return `A username has at most ${maxUsernameLength} characters.`;
  if (/[\p{Cc}\p{Surrogate}]/u.test(trimmed)) return "A username has no control characters.";
  return invisible.test(trimmed) ? "A username has no invisible characters, such as a zero-width space." : null;
}

/**
 * Returns what is wrong with an email address, as a sentence, or `null`. The check is rough: only a message to the address
 * can prove that it works.
 */
function findEmailFault(email: string): string | null {
  if (email.length > maxEmailLength) return `An email address has at most ${maxEmailLength} characters.`;
  return /^[^\s\p{Cc}\p{Surrogate}]+@[^\s\p{Cc}\p{Surrogate}@]+$/u.test(email)
    ? null
    : "An email address has an @ between two parts, and no spaces.";
}

/**
 * Checks a username.
 *
 * @throws AuthError `username_invalid`, whose `reason` is a sentence for the user.
 */
export function requireUsername(username: string): void {
  const fault = findUsernameFault(username);
  if (fault !== null) throw new AuthError("username_invalid", fault);
}

/**
 * Checks an email address.
 *
 * @throws AuthError `email_invalid`, whose `reason` is a sentence for the user.
 */
export function requireEmail(email: string): void {
  const fault = findEmailFault(email);
  if (fault !== null) throw new AuthError("email_invalid", fault);
}
