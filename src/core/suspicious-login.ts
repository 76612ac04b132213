import type { ClientInfo } from "./client-info.ts";
import type { AuthUser, User } from "./user.ts";

/**
 * What may be an attack on an account, for a message to its owner:
 *
 * - `success_after_failures`: a login succeeded on a device without a device cookie, after at least 5 failures on the
 *   account since its last success. The subject may have got in.
 * - `account_delayed`: a failure has made delays begin on the account (`accountFailuresBeforeDelay`).
 * - `account_locked`: a failure was the last that the account allows, to unknown devices (`isLockedForAll: false`) or to all.
 *
 * The latter two come once each until the next success. For names that no user has there is nobody to tell, and nothing
 * comes; with `verifyCredentials` of your own, only you know who `username` is.
 */
export type SuspiciousLogin<U extends AuthUser = User> =
  | {
      readonly kind: "success_after_failures";
      readonly user: U;
      readonly failures: number;
      readonly client: ClientInfo;
    }
  | {
      readonly kind: "account_delayed" | "account_locked";
      /** `null` with `verifyCredentials` of your own. */
      readonly userId: string | null;
      /** As it was typed. */
      readonly username: string;
      readonly failures: number;
      readonly isLockedForAll: boolean;
      readonly client: ClientInfo;
    };
