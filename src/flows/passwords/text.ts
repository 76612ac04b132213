import type { PasswordHasher, PasswordMatch } from "../../crypto/passwords.ts";

/** A stored hash that should be replaced, and the password that made it. */
export interface OutdatedHash {
  /** The hash as it is stored. */
  readonly encoded: string;
  /** The password that was hashed: either as the user gave it, or without the white space around it. */
  readonly password: string;
}

/**
 * Returns the form in which a new password is hashed: NFC. So it doesn't matter whether a keyboard sends `é` as one code
 * point or as two.
 *
 * @see https://pages.nist.gov/800-63-4/sp800-63b.html#passwordver NIST SP 800-63B-4 §3.1.1.2
 */
export function normalizePassword(password: string): string {
  return password.normalize("NFC");
}

/**
 * Returns the form in which a password is compared with the username and with common passwords. This form is never hashed.
 */
export function foldPassword(password: string): string {
  return password.normalize("NFKC").trim().toLowerCase();
}

/**
 * Verifies a password. First tries it as it was sent, because another system may have hashed a form that isn't normalized.
 * Then tries the normalized form.
 *
 * @param encoded the stored hash, or `null` if there is none. `null` takes the same time as a wrong password.
 * @returns how the hash was made from the password, or `null` if the password is wrong.
 * @throws AuthError `unavailable` if too many passwords are waiting to be hashed.
 */
export async function verifyPassword(
  passwords: PasswordHasher,
  encoded: string | null,
  password: string,
): Promise<PasswordMatch | null> {
  const match = await passwords.verify(encoded, password);
  const normalized = normalizePassword(password);
  return match !== null || normalized === password ? match : passwords.verify(encoded, normalized);
}
