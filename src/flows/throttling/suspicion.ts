import type { SuspiciousLogin } from "../../core/suspicious-login.ts";
import type { AuthUser } from "../../core/user.ts";
import type { Deps } from "../deps.ts";
import { type LoginSubject, toReserve } from "./login-counters.ts";

/** The number of failures after which a login on an unknown device is reported. */
const suspiciousFailures = 5;

/** Reports a login to the application if it came from an unknown device after at least 5 `failures` on the account. */
export function reportSuccess(
  deps: Deps,
  { deviceId, client }: LoginSubject,
  { user, failures }: { readonly user: AuthUser; readonly failures: number },
): void {
  if (deviceId !== null || failures < suspiciousFailures) return;
  report(deps, { kind: "success_after_failures", user, failures, client });
}

/** Reports a failed login to the application if the account's `failures` have now reached one of its limits. */
export function reportAccountLimit(
  deps: Deps,
  { username, userId, mayBeUser, client }: LoginSubject,
  failures: number,
): void {
  const { maxLoginFailures, accountFailuresBeforeDelay } = deps.settings;
  if (!mayBeUser) return;
  const isLockedForAll = failures === maxLoginFailures;
  const isLocked =
    isLockedForAll || (maxLoginFailures > 0 && failures === maxLoginFailures - toReserve(maxLoginFailures));
  if (!isLocked && failures !== accountFailuresBeforeDelay) return;
  const kind = isLocked ? "account_locked" : "account_delayed";
  report(deps, { kind, userId, username, failures, isLockedForAll, client });
}

/** Calls the application's function without awaiting it, because its response time must not reveal which accounts exist. */
function report({ settings }: Deps, login: SuspiciousLogin<AuthUser>): void {
  Promise.resolve()
    .then(() => settings.onSuspiciousLogin?.(login))
    .catch(() => {
      // The answer to the client must not depend on the application's bookkeeping.
    });
}
