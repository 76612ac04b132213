import { SchemaVersionError } from "../../core/errors.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { Store } from "../../core/store/index.ts";
import type { AuthUser } from "../../core/user.ts";
import { type Check, fail, ok, warn } from "./check.ts";
import { checkNodes } from "./node-checks.ts";
import { checkPasswordHashes } from "./password-checks.ts";
import { checkRing } from "./ring-checks.ts";

/** The maximum difference between the clocks of the database and of this machine, in seconds. */
const maxClockDifference = 2;

/**
 * The range of plausible times, in whole seconds since the epoch. A time before the release of this version, or long after
 * it, is wrong.
 */
const plausibleTimes = { from: Date.UTC(2025, 0) / 1000, to: Date.UTC(2100, 0) / 1000 };

/**
 * Checks that a database has the schema of this version, and that it is writable, that its clock is right, and that the nodes, keys
 * and password hashes in it are in order.
 *
 * @param name a text for people that names the database.
 */
export async function checkStore(store: Store, name: string, settings: Settings<AuthUser>): Promise<readonly Check[]> {
  try {
    await store.checkSchema();
  } catch (error) {
    if (error instanceof SchemaVersionError) return [fail("schema", error.message)];
    throw error;
  }
  // Proves that the database is writable: a write that deletes nothing.
  await store.deleteExpired({ limit: 0, horizon: 0 });
  return [
    ok("database", `${name} is writable.`),
    ok("schema", "Up to date."),
    await checkClock(store),
    ...(await checkNodes(store, settings)),
    ...(await checkRing(store, settings)),
    await checkPasswordHashes(store, settings),
  ];
}

async function checkClock(store: Store): Promise<Check> {
  const { sessions, now } = await store.sessions.list({ limit: 1 });
  const difference = Math.abs(now - Math.floor(Date.now() / 1000));
  if (difference > maxClockDifference) {
    return fail("clock", `The clocks of the database and this machine differ by ${difference} s. Synchronize them.`);
  }
  if (now < plausibleTimes.from || now > plausibleTimes.to) return fail("clock", "The time is wrong. Set the clock.");
  const newest = sessions[0];
  if (newest !== undefined && newest.lastUsedAt > now + maxClockDifference) {
    return warn("clock", "The newest session was used in the future: the clock was set back. Check the time.");
  }
  return ok("clock", "The clocks of the database and this machine agree.");
}
