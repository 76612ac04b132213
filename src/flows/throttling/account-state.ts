import type { Settings } from "../../core/settings/settings.ts";
import type { Store } from "../../core/store/index.ts";
import { toReserve } from "./login-counters.ts";

/** What failed logins have done to an account. */
export interface AccountState {
  /** Since the last success, from everywhere. */
  readonly failures: number;
  /** Whom it refuses, whatever the password, until it is unlocked. */
  readonly closedTo: "nobody" | "unknown_devices" | "everybody";
}

/** What looking at an account needs: less than `Deps`, so that a command line without a signing key can do it. */
export interface AccountDeps {
  readonly store: Pick<Store, "throttle">;
  readonly settings: Pick<Settings, "maxLoginFailures">;
}

/** What is counted under `accountKey`. Changes nothing. */
export async function readAccountState({ store, settings }: AccountDeps, accountKey: string): Promise<AccountState> {
  const failures = await store.throttle.decide(
    [accountKey],
    ({ counts }) => ({ result: counts.get(accountKey)?.failures ?? 0, changes: new Map() }),
    { peekFirst: true },
  );
  return { failures, closedTo: toClosing(settings.maxLoginFailures, failures) };
}

function toClosing(limit: number, failures: number): AccountState["closedTo"] {
  if (limit === 0 || failures < limit - toReserve(limit)) return "nobody";
  return failures < limit ? "unknown_devices" : "everybody";
}
