import type { Settings } from "../../core/settings/settings.ts";
import type { Store } from "../../core/store/index.ts";
import { toReserve } from "./login-counters.ts";

/** How failed logins currently affect an account. */
export interface AccountState {
  /** The number of failed logins since the last successful one, from all addresses and devices. */
  readonly failures: number;
  /** The devices that can't log in, even with the correct password, until an operator unlocks the account. */
  readonly lockedFor: "none" | "unknown_devices" | "all_devices";
}

/** The dependencies of `readAccountState`: fewer than `Deps`, so that a CLI without a signing key can provide them. */
export interface AccountDeps {
  readonly store: Pick<Store, "throttle">;
  readonly settings: Pick<Settings, "maxLoginFailures">;
}

/** Returns the state of the account whose failures are counted under `accountKey`. Doesn't change anything. */
export async function readAccountState({ store, settings }: AccountDeps, accountKey: string): Promise<AccountState> {
  const failures = await store.throttle.decide(
    [accountKey],
    ({ counts }) => ({ result: counts.get(accountKey)?.failures ?? 0, changes: new Map() }),
    { peekFirst: true },
  );
  return { failures, lockedFor: toLockedDevices(settings.maxLoginFailures, failures) };
}

function toLockedDevices(limit: number, failures: number): AccountState["lockedFor"] {
  if (limit === 0 || failures < limit - toReserve(limit)) return "none";
  return failures < limit ? "unknown_devices" : "all_devices";
}
