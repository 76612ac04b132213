import type { SuspiciousLogin } from "../../core/suspicious-login.ts";
import type { AuthUser } from "../../core/user.ts";
import type { Deps } from "../deps.ts";
import { type LoginSubject, toReserve } from "./login-counters.ts";

/** Failures after which a login on an unknown device is worth a message to the account's owner. */
const suspiciousFailures = 5;

/** Reports a login on an unknown device, after `failures` on the account, to the application. */
export function reportSuccess(
  deps: Deps,
  { deviceId, client }: LoginSubject,
  { user, failures }: { readonly user: AuthUser; readonly failures: number },
): void {
  if (deviceId !== null || failures < suspiciousFailures) return;
  report(deps, { kind: "success_after_failures", user, failures, client });
}

/** Reports a failure that brought the account to one of its limits to the application. */
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

/** Not awaited: the application's response time must not reveal which accounts exist. */
function report({ settings }: Deps, login: SuspiciousLogin<AuthUser>): void {
  Promise.resolve()
    .then(() => settings.onSuspiciousLogin?.(login))
    .catch(() => {
      // The answer to the client does not depend on the application's bookkeeping.
    });
}
