import type { ClientInfo } from "../../core/client-info.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { toAddressKey, toDeviceKey, toPairKey } from "../../crypto/throttle-keys.ts";
import { type Counter, expiries } from "./login-rules.ts";

/** Who tries to log in. */
export interface LoginSubject {
  readonly accountKey: string;
  /** As typed, without surrounding white space. */
  readonly username: string;
  /** `null` if no user of tokenpair's own table has the name, or only the application knows. */
  readonly userId: string | null;
  /** Whether a user has the name. True if only the application knows. */
  readonly mayBeUser: boolean;
  /** Identifies a device that has logged in to the account before; `null` for an unknown device. */
  readonly deviceId: string | null;
  readonly client: ClientInfo;
}

type Limits = Pick<
  Settings,
  "maxLoginFailures" | "loginFailuresBeforeDelay" | "accountFailuresBeforeDelay" | "addressFailuresBeforeDelay"
>;

/**
 * What an attempt is counted under. A device that has logged in before has an allowance of its own: it shares the account's
 * last tenth with the user's other known devices, and nothing with strangers.
 */
export function toCounters(
  limits: Limits,
  { accountKey, mayBeUser, deviceId, client: { ip } }: LoginSubject,
): readonly Counter[] {
  const { maxLoginFailures, loginFailuresBeforeDelay, accountFailuresBeforeDelay, addressFailuresBeforeDelay } = limits;
  if (maxLoginFailures + loginFailuresBeforeDelay + accountFailuresBeforeDelay + addressFailuresBeforeDelay === 0)
    return [];
  const end = maxLoginFailures === 0 ? Infinity : maxLoginFailures;
  const account = {
    key: accountKey,
    scope: "account",
    toExpiry: mayBeUser ? expiries.ofUser : expiries.ofNobody,
  } as const;
  const own = { free: loginFailuresBeforeDelay, end: Infinity, toExpiry: expiries.ofPair } as const;
  if (deviceId !== null) {
    const key = toDeviceKey(accountKey, deviceId);
    return withRules([
      { ...account, free: Infinity, end },
      { ...own, key, scope: "device" },
    ]);
  }
  const ofAccount: Counter = { ...account, free: accountFailuresBeforeDelay, end: end - toReserve(maxLoginFailures) };
  if (ip === undefined) return withRules([ofAccount]);
  return withRules([
    ofAccount,
    { ...own, key: toPairKey(accountKey, ip), scope: "pair" },
    {
      key: toAddressKey(ip),
      scope: "address",
      free: addressFailuresBeforeDelay,
      end: Infinity,
      toExpiry: expiries.ofAddress,
    },
  ]);
}

/** How many of an account's failures are kept for known devices. */
export function toReserve(maxLoginFailures: number): number {
  return Math.floor(maxLoginFailures / 10);
}

/** Without the rules that are switched off. The account stays, for a success to forget what was counted by others. */
function withRules(counters: readonly Counter[]): readonly Counter[] {
  const rules = counters.map((counter) => (counter.free === 0 ? { ...counter, free: Infinity } : counter));
  return rules.filter(({ scope, free }) => scope === "account" || Number.isFinite(free));
}
