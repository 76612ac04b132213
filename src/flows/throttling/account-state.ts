import type { Settings } from "../../core/settings/settings.ts";
import type { Store } from "../../core/store/index.ts";
import { toReserve } from "./login-counters.ts";

/** The effect of failed logins on an account. */
export interface AccountState {
  /** Failed logins since the last success, from all addresses and devices. */
  readonly failures: number;
  /** Who can't log in, even with the right password, until an operator unlocks the account. */
  readonly closedTo: "nobody" | "unknown_devices" | "everybody";
}

/** What reading an account's state needs: less than `Deps`, so that a command line without a signing key can do it. */
export interface AccountDeps {
  readonly store: Pick<Store, "throttle">;
  readonly settings: Pick<Settings, "maxLoginFailures">;
}

/** Returns the effect of the failed logins that are counted under `accountKey`. Changes nothing. */
export async function readAccountState({ store, settings }: AccountDeps, accountKey: string): Promise<AccountState> {
  const failures = await store.throttle.decide(
    [accountKey],
    ({ counts }) => ({ result: counts.get(accountKey)?.failures ?? 0, changes: new Map() }),
    { peekFirst: true },
  );
  return { failures, closedTo: toClosedTo(settings.maxLoginFailures, failures) };
}

function toClosedTo(limit: number, failures: number): AccountState["closedTo"] {
  if (limit === 0 || failures < limit - toReserve(limit)) return "nobody";
  return failures < limit ? "unknown_devices" : "everybody";
}
