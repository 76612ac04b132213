import { setTimeout } from "node:timers/promises";
import { revocationRetention } from "../core/revocation-horizon.ts";
import { days } from "../core/settings/durations.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { DeletedCounts, Store } from "../core/store/index.ts";

/** Rows of one kind in a batch: so few that no other call waits long for the lock. */
const batchSize = 1_000;

/** Milliseconds between two batches, in which other calls get the lock. */
const pause = 10;

/** The options of `deleteExpiredRows`. */
export interface CleanupOptions extends Pick<Settings, "auditRetention"> {
  /** Called after every batch but the last, with the counts so far. */
  readonly onProgress?: (total: DeletedCounts) => void;
  /** Stops before the next batch if it is aborted. */
  readonly signal?: AbortSignal;
}

/**
 * Deletes all rows that have expired, in small batches. Several processes may do this at once: they share the work.
 *
 * @returns how many rows of each kind were deleted.
 * @throws StoreUnavailableError. What was deleted before stays deleted.
 */
export async function deleteExpiredRows(
  store: Pick<Store, "deleteExpired">,
  { auditRetention, onProgress, signal }: CleanupOptions,
): Promise<DeletedCounts> {
  const auditHorizon = days(auditRetention);
  let total: DeletedCounts = {
    sessions: 0,
    revocations: 0,
    failures: 0,
    auditEntries: 0,
    legacyTokens: 0,
    loginTickets: 0,
  };
  while (signal?.aborted !== true) {
    const deleted = await store.deleteExpired({ limit: batchSize, horizon: revocationRetention, auditHorizon });
    total = add(total, deleted);
    if (!Object.values(deleted).includes(batchSize)) break;
    onProgress?.(total);
    await setTimeout(pause);
  }
  return total;
}

function add(total: DeletedCounts, deleted: DeletedCounts): DeletedCounts {
  const kinds = Object.keys(total) as (keyof DeletedCounts)[];
  return Object.fromEntries(kinds.map((kind) => [kind, total[kind] + deleted[kind]])) as unknown as DeletedCounts;
}
