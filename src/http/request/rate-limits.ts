import { createHmac } from "node:crypto";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { toClientNetwork } from "../../core/addresses.ts";
import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import { minutes } from "../../core/settings/durations.ts";
import type { RateLimitedEndpoint } from "../../events/events.ts";
import type { HttpDeps } from "../endpoint.ts";

/** Counts a request towards a limit of its address. @throws AuthError `throttled`, with `retryAfter`. */
export type RequireWithinRateLimit = (limit: RateLimitedEndpoint, client: ClientInfo) => Promise<void>;

/** The limits of the endpoints that check tokens, per minute: in this node's memory, so that they add no I/O. */
export function createRateLimits({ settings, random, clock, emit }: HttpDeps): RequireWithinRateLimit {
  const key = random(16);
  const limiters: Readonly<Record<RateLimitedEndpoint, RateLimiterMemory | null>> = {
    refresh: createLimiter(settings.refreshLimit),
    verify: createLimiter(settings.verifyLimit),
    blacklist: createLimiter(settings.blacklistLimit),
  };
  return async (limit, client) => {
    const limiter = limiters[limit];
    if (limiter === null || client.ip === undefined) return;
    try {
      await limiter.consume(toShare(key, toClientNetwork(client.ip)));
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      const retryAfter = Math.max(1, Math.ceil(refusal.msBeforeNext / 1_000));
      // Once for each minute: a flood is not to be one of events, too.
      if (refusal.consumedPoints === limiter.points + 1) {
        emit({ type: "throttled", time: clock.now(), scope: limit, retryAfter, client });
      }
      throw new AuthError("throttled", "requests", { retryAfter });
    }
  };
}

function createLimiter(points: number): RateLimiterMemory | null {
  return points === 0 ? null : new RateLimiterMemory({ points, duration: minutes(1) });
}

/**
 * Which of 65,536 allowances an address has a share in, so that no number of addresses takes more memory than that. Nobody
 * can tell who shares one, and two clients still have more than either needs.
 */
function toShare(key: Uint8Array, network: string): number {
  return createHmac("sha256", key).update(network).digest().readUInt16BE(0);
}
