import type { PasswordHasher, PasswordMatch } from "../../crypto/passwords.ts";

/**
 * The form in which a new password is hashed: NFC (NIST SP 800-63B-4 §3.1.1.2), so that it is the same whether a keyboard
 * sends `é` as one code point or as two.
 */
export function normalizePassword(password: string): string {
  return password.normalize("NFC");
}

/** The form in which passwords are compared with the username and with common ones. Never hashed. */
export function foldPassword(password: string): string {
  return password.normalize("NFKC").trim().toLowerCase();
}

/**
 * How `encoded` was made from `password`, or `null` where it was not: first as it was sent, since hashes from elsewhere may
 * have been made of a form that is not normalized, and then normalized. How long it takes does not tell whether there is
 * such a user.
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
