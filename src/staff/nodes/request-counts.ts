import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { AuthError } from "../../core/errors.ts";
import type { StaffDeps } from "../staff-deps.ts";

/** Creates the limits of the staff API: 300 reads and 60 changes a minute for each member. They are this node's own. */
export function createRequestCounts(): StaffDeps["countRequest"] {
  const reads = new RateLimiterMemory({ points: 300, duration: 60 });
  const changes = new RateLimiterMemory({ points: 60, duration: 60 });
  return async (userId, isChange) => {
    try {
      await (isChange ? changes : reads).consume(userId);
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      throw new AuthError("throttled", "requests", {
        retryAfter: Math.max(1, Math.ceil(refusal.msBeforeNext / 1_000)),
      });
    }
  };
}
