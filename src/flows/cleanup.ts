import { setTimeout } from "node:timers/promises";
import { revocationRetention } from "../core/revocation-horizon.ts";
import { days } from "../core/settings/durations.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { DeletedCounts, Store } from "../core/store/index.ts";

/** The maximum number of rows of each kind in a batch. It is small, so that no other call waits long for the lock. */
const batchSize = 1_000;

/** The number of milliseconds between two batches. During this time, other calls can get the lock. */
const pause = 10;

/** The options of `deleteExpiredRows`. */
export interface CleanupOptions extends Pick<Settings, "auditRetention"> {
  /** Called after every batch except the last one, with the counts so far. */
  readonly onProgress?: (total: DeletedCounts) => void;
  /** A signal that stops the work before the next batch. */
  readonly signal?: AbortSignal;
}

/**
 * Deletes all expired rows, in small batches. Several processes can do this at the same time and share the work.
 *
 * @returns how many rows of each kind were deleted.
 * @throws StoreUnavailableError if the store can't answer. Rows that were deleted before that stay deleted.
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
