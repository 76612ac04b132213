import { setTimeout } from "node:timers/promises";
import { revocationRetention } from "../core/revocation-horizon.ts";
import { days } from "../core/settings/durations.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { DeletedCounts, Store } from "../core/store/index.ts";

/** The most rows of each kind in one batch: few enough that other transactions don't wait long for the lock. */
const batchSize = 1_000;

/** Milliseconds between two batches, in which other transactions get the lock. */
const pause = 10;

/** How to clean up. */
export interface CleanupOptions extends Pick<Settings, "auditRetention"> {
  /** Called after every batch except the last, with what has been deleted so far. */
  readonly onProgress?: (total: DeletedCounts) => void;
  /** Stops the cleanup before the next batch. */
  readonly signal?: AbortSignal;
}

/**
 * Deletes expired rows in small batches until none are left. Several processes may do it at once: they share the work.
 *
 * @returns how many rows of each kind were deleted.
 * @throws StoreUnavailableError; what earlier batches deleted stays deleted.
 */
export async function deleteExpiredRows(
  store: Pick<Store, "deleteExpired">,
  { auditRetention, onProgress, signal }: CleanupOptions,
): Promise<DeletedCounts> {
  const auditHorizon = days(auditRetention);
  let total: DeletedCounts = { sessions: 0, revocations: 0, failures: 0, auditEntries: 0 };
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
  return Object.fromEntries(kinds.map((kind) => [kind, total[kind] + deleted[kind]])) as Record<
    keyof DeletedCounts,
    number
  >;
}
