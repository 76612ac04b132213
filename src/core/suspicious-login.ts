import type { ClientInfo } from "./client-info.ts";
import type { AuthUser, User } from "./user.ts";

/**
 * A sign that an account may be under attack, for a message to its user:
 *
 * - `success_after_failures`: a login on an unknown device succeeded after at least 5 failures on the account since its
 *   last success. The attacker may have found the password.
 * - `account_delayed`: a failure started delays on the account (`accountFailuresBeforeDelay`).
 * - `account_locked`: a failure locked the account (`maxLoginFailures`): for unknown devices, or for all devices if
 *   `isLockedForAll` is true.
 *
 * `account_delayed` and `account_locked` are each reported once until the next success. Nothing is reported for names that
 * belong to no user. With your own `verifyCredentials`, every name is reported, because only your application knows whether
 * it belongs to a user.
 */
export type SuspiciousLogin<U extends AuthUser = User> =
  | {
      readonly kind: "success_after_failures";
      /** The user who logged in. */
      readonly user: U;
      /** The number of failures on the account since its last successful login. */
      readonly failures: number;
      /** Who sent the successful attempt. */
      readonly client: ClientInfo;
    }
  | {
      /** The limit that was reached. */
      readonly kind: "account_delayed" | "account_locked";
      /** The id of the user with this name. `null` with your own `verifyCredentials`. */
      readonly userId: string | null;
      /** The name as typed, without surrounding white space. */
      readonly username: string;
      /** The number of failures on the account since its last successful login. */
      readonly failures: number;
      /** Whether known devices are locked out too. */
      readonly isLockedForAll: boolean;
      /** Who sent the last failed attempt. */
      readonly client: ClientInfo;
    };
