import type { SuspiciousLogin } from "../../core/suspicious-login.ts";
import type { AuthUser } from "../../core/user.ts";
import type { Deps } from "../deps.ts";
import { type Guesser, toReserve } from "./login-counters.ts";
import type { PasswordAttempt } from "./login-throttle.ts";

/** Failures after which a login on an unknown device is worth a message to the account's owner. */
const suspiciousFailures = 5;

/** Tells the application of a login on an unknown device after `failures` on the account. */
export function reportSuccess(
  deps: Deps,
  { origin }: PasswordAttempt,
  { deviceId }: Guesser,
  { user, failures }: { readonly user: AuthUser; readonly failures: number },
): void {
  if (deviceId !== null || failures < suspiciousFailures) return;
  tell(deps, { kind: "success_after_failures", user, failures, origin });
}

/** Tells the application of a failure that has brought the account to one of its limits. */
export function reportAccountLimit(
  deps: Deps,
  { username, origin }: PasswordAttempt,
  { userId, mayBeUser }: Guesser,
  failures: number,
): void {
  const { maxLoginFailures, accountFailuresBeforeDelay } = deps.settings;
  if (!mayBeUser) return;
  const isLockedForAll = failures === maxLoginFailures;
  const isLocked =
    isLockedForAll || (maxLoginFailures > 0 && failures === maxLoginFailures - toReserve(maxLoginFailures));
  if (!isLocked && failures !== accountFailuresBeforeDelay) return;
  const kind = isLocked ? "account_locked" : "account_delayed";
  tell(deps, { kind, userId, username, failures, isLockedForAll, origin });
}

/** Without waiting: how long the application takes must not tell which accounts exist. */
function tell({ settings }: Deps, login: SuspiciousLogin<AuthUser>): void {
  Promise.resolve()
    .then(() => settings.onSuspiciousLogin?.(login))
    .catch(() => {
      // The answer to the client does not depend on the application's bookkeeping.
    });
}
