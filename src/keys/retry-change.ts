import { StoreUnavailableError } from "../core/errors.ts";

/** How often the keys are read for one change. */
const maxTries = 20;

/**
 * Calls `attempt`, which reads the keys, until its result isn't `null`: the keys that it had read were changed in the meantime.
 *
 * @throws StoreUnavailableError if they are changed again and again.
 */
export async function retryChange<T>(attempt: () => Promise<T | null>): Promise<T> {
  for (let tries = 0; tries < maxTries; tries++) {
    const result = await attempt();
    if (result !== null) return result;
  }
  throw new StoreUnavailableError("keys.change: the keys were changed again and again");
}
