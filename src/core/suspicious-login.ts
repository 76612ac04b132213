import type { ClientInfo } from "./client-info.ts";
import type { AuthUser, User } from "./user.ts";

/**
 * A sign that an account may be under attack, for a message to its user:
 *
 * - `success_after_failures`: a login on an unknown device succeeded after at least 5 failures on the account since its
 *   last success. The attacker may have found the password.
 * - `account_delayed`: a failure made delays begin on the account (`accountFailuresBeforeDelay`).
 * - `account_locked`: a failure was the last one that the account allows: to unknown devices, or to all devices if
 *   `isLockedForAll` is true (`maxLoginFailures`).
 *
 * The latter two are reported once each until the next success. Nothing is reported for names that no user has. With
 * your own `verifyCredentials`, every name is reported, because only you can tell whether a user has it.
 */
export type SuspiciousLogin<U extends AuthUser = User> =
  | {
      readonly kind: "success_after_failures";
      /** Who logged in. */
      readonly user: U;
      /** Failures on the account since its last success. */
      readonly failures: number;
      /** Who sent the successful attempt. */
      readonly client: ClientInfo;
    }
  | {
      /** Which limit was reached. */
      readonly kind: "account_delayed" | "account_locked";
      /** The user with this name; `null` with your own `verifyCredentials`. */
      readonly userId: string | null;
      /** As typed, without surrounding white space. */
      readonly username: string;
      /** Failures on the account since its last success. */
      readonly failures: number;
      /** Whether known devices are locked out too. */
      readonly isLockedForAll: boolean;
      /** Who sent the last failed attempt. */
      readonly client: ClientInfo;
    };
