/** Passwords for applications with their own user table: `createPasswords`, its types and errors. */

export { AuthError, type AuthErrorCode } from "../core/errors.ts";
export { SettingError } from "../core/settings/setting-error.ts";
export type { HashLoad } from "../crypto/passwords/hash-queue.ts";
export { createPasswords } from "./create-passwords.ts";
export type { PasswordsOptions } from "./options.ts";
export type { PasswordCheckOptions, Passwords, PasswordVerification } from "./passwords.ts";
