import type { Health } from "../../auth-results.ts";

/** The health of one worker. `null` means that it didn't answer. */
export interface WorkerHealth {
  /** The worker's number. */
  readonly number: number;
  readonly health: Health | null;
}

/**
 * Returns the health of all workers together. Requests reach any of them, so one that isn't healthy makes the whole unhealthy. A
 * worker that is being started again gets no requests, so it isn't in the list.
 *
 * @param workers the workers that accept requests.
 */
export function mergeHealth(workers: readonly WorkerHealth[]): Health {
  if (workers.length === 0) return { ok: false, reason: "no worker is running" };
  for (const { number, health } of workers) {
    if (health === null) return { ok: false, reason: `worker ${number} does not answer` };
    if (!health.ok) return { ok: false, reason: `worker ${number}: ${health.reason}` };
  }
  return workers.map(({ health }) => health).find(isDegraded) ?? { ok: true };
}

function isDegraded(health: Health | null): health is Health {
  return health?.ok === true && health.degraded !== undefined;
}
