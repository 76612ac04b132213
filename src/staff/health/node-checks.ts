import type { Settings } from "../../core/settings/settings.ts";
import type { Store } from "../../core/store/index.ts";
import { toTime, withoutControls } from "../../core/text.ts";
import { type Check, ok, warn } from "./check.ts";

/**
 * The maximum difference between the clocks of a node and of the database, in milliseconds: half of the default
 * `clockTolerance`.
 */
const maxClockDifference = 30_000;

/** The longest lease of a reader for which a confirmation may reasonably wait, in milliseconds. */
const maxReaderLease = 60_000;

/**
 * Lists the nodes in the registry, and checks whether their clocks agree with the database's, and for how long they wait for
 * services that read the revocation feed.
 */
export async function checkNodes(
  { nodes }: Pick<Store, "nodes">,
  { maxStaleness }: Pick<Settings, "maxStaleness">,
): Promise<readonly Check[]> {
  const { nodes: registered, isSettled } = await nodes.readRegistry();
  const known = registered.filter(({ isLeaving }) => !isLeaving);
  const names = known.map(
    ({ id, name, joinedAt }) => `${withoutControls(name ?? id.slice(0, 8))} since ${toTime(joinedAt)}`,
  );
  const list = known.length === 0 ? "No node is running." : `Registered: ${names.join(", ")}.`;
  const wrong = known.filter(({ clockAhead }) => Math.abs(clockAhead ?? 0) > maxClockDifference);
  return [
    ok("nodes", list),
    ...wrong.map(({ id, name, clockAhead }) =>
      warn(
        "node clock",
        `The clock of ${withoutControls(name ?? id)} is ${toDifference(clockAhead ?? 0)} the database's. Synchronize it.`,
      ),
    ),
    ...known
      .filter(({ lease }) => lease > Math.max(maxReaderLease, maxStaleness * 1000))
      .map(({ id, name, lease }) =>
        warn(
          "feed readers",
          `A service reads the feed of ${withoutControls(name ?? id)} with a maxStaleness of about ${Math.round(lease / 1000)} s. If ` +
            "it disconnects, confirmations wait that long. Lower it there.",
        ),
      ),
    ...(isSettled || known.length === 0
      ? []
      : [ok("confirmations", "Slow until the nodes have run for their maxStaleness since the database was started.")]),
  ];
}

/**
 * Returns the difference between two clocks as text.
 *
 * @param ahead the number of milliseconds by which the clock is ahead. It is negative if the clock is behind.
 */
const toDifference = (ahead: number): string =>
  `${Math.round(Math.abs(ahead) / 1000)} s ${ahead < 0 ? "behind" : "ahead of"}`;
