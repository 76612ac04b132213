import type { ClientInfo } from "../../core/client-info.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { toAddressKey, toDeviceKey, toPairKey } from "../../crypto/throttle-keys.ts";
import { type Counter, expiries } from "./login-rules.ts";

/** The account, device and client of an attempt to log in. */
export interface LoginSubject {
  /** The key under which the account's failures are counted. */
  readonly accountKey: string;
  /** The name as typed, without surrounding white space. */
  readonly username: string;
  /** The user's id in tokenpair's own table, or `null` if no user there has this name. */
  readonly userId: string | null;
  /** Whether a user may have this name. Always true if only the application knows. */
  readonly mayBeUser: boolean;
  /** The id of a device that has logged in to the account before. `null` for an unknown device. */
  readonly deviceId: string | null;
  readonly client: ClientInfo;
}

type Limits = Pick<
  Settings,
  "maxLoginFailures" | "loginFailuresBeforeDelay" | "accountFailuresBeforeDelay" | "addressFailuresBeforeDelay"
>;

/**
 * Returns the counters for an attempt. A known device has its own counter for delays. Only known devices can use the last
 * tenth of the failures that the account allows.
 */
export function toCounters(
  limits: Limits,
  { accountKey, mayBeUser, deviceId, client: { ip } }: LoginSubject,
): readonly Counter[] {
  const { maxLoginFailures, loginFailuresBeforeDelay, accountFailuresBeforeDelay, addressFailuresBeforeDelay } = limits;
  const isOff =
    maxLoginFailures + loginFailuresBeforeDelay + accountFailuresBeforeDelay + addressFailuresBeforeDelay === 0;
  if (isOff) return [];
  const lockAfter = maxLoginFailures === 0 ? Infinity : maxLoginFailures;
  const toExpiry = mayBeUser ? expiries.user : expiries.unknownName;
  const account = { key: accountKey, scope: "account", toExpiry } as const;
  const own = { delayAfter: loginFailuresBeforeDelay, lockAfter: Infinity, toExpiry: expiries.pair } as const;
  if (deviceId !== null) {
    return withRules([
      { ...account, delayAfter: Infinity, lockAfter },
      { ...own, key: toDeviceKey(accountKey, deviceId), scope: "device" },
    ]);
  }
  const unknownDevices = {
    ...account,
    delayAfter: accountFailuresBeforeDelay,
    lockAfter: lockAfter - toReserve(maxLoginFailures),
  };
  if (ip === undefined) return withRules([unknownDevices]);
  const address = { delayAfter: addressFailuresBeforeDelay, lockAfter: Infinity, toExpiry: expiries.address };
  return withRules([
    unknownDevices,
    { ...own, key: toPairKey(accountKey, ip), scope: "pair" },
    { ...address, key: toAddressKey(ip), scope: "address" },
  ]);
}

/** Returns how many of an account's failures are reserved for known devices. */
export function toReserve(maxLoginFailures: number): number {
  return Math.floor(maxLoginFailures / 10);
}

/**
 * Removes the counters whose rules are turned off (0). The account's counter stays, because a successful login must clear
 * the failures of other devices.
 */
function withRules(counters: readonly Counter[]): readonly Counter[] {
  const rules = counters.map((counter) => (counter.delayAfter === 0 ? { ...counter, delayAfter: Infinity } : counter));
  return rules.filter(({ scope, delayAfter }) => scope === "account" || Number.isFinite(delayAfter));
}
