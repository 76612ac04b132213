import { createHmac } from "node:crypto";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { toClientNetwork } from "../../core/addresses.ts";
import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import type { Clock } from "../../core/runtime/clock.ts";
import type { Random } from "../../core/runtime/random.ts";
import { minutes } from "../../core/settings/durations.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { EventListener, RateLimitedEndpoint } from "../../events/events.ts";

/**
 * Counts a request from the client's address towards the rate limit of an endpoint.
 *
 * @throws AuthError `throttled`, with `retryAfter`, if the address has reached the limit.
 */
export type RequireWithinRateLimit = (endpoint: RateLimitedEndpoint, client: ClientInfo) => Promise<void>;

interface RateLimitDeps {
  readonly settings: Pick<Settings, "refreshLimit" | "verifyLimit" | "blacklistLimit">;
  readonly random: Random;
  readonly clock: Pick<Clock, "now">;
  readonly emit: EventListener;
}

/**
 * Creates the rate limits, per minute, of the endpoints that check tokens. The counts are in this node's memory, so they
 * add no I/O.
 */
export function createRateLimits({ settings, random, clock, emit }: RateLimitDeps): RequireWithinRateLimit {
  const key = random(16);
  const limiters: Readonly<Record<RateLimitedEndpoint, RateLimiterMemory | null>> = {
    refresh: createLimiter(settings.refreshLimit),
    verify: createLimiter(settings.verifyLimit),
    blacklist: createLimiter(settings.blacklistLimit),
  };
  return async (endpoint, client) => {
    const limiter = limiters[endpoint];
    if (limiter === null || client.ip === undefined) return;
    try {
      await limiter.consume(toBucket(key, toClientNetwork(client.ip)));
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      const retryAfter = toSeconds(refusal);
      // Once a minute and bucket, so that a flood of requests is not a flood of events.
      if (refusal.consumedPoints === limiter.points + 1) {
        emit({ type: "throttled", time: clock.now(), scope: endpoint, retryAfter, client });
      }
      throw new AuthError("throttled", "requests", { retryAfter });
    }
  };
}

/** Counts failed attempts per client address. */
export interface FailureLimit {
  /**
   * Throws if the client's address has reached the limit.
   *
   * @throws AuthError `throttled`, with `retryAfter`.
   */
  requireBelow(client: ClientInfo): Promise<void>;
  /** Counts a failed attempt. */
  count(client: ClientInfo): Promise<void>;
}

/** Creates the limit of failed attempts with service credentials, per minute. The counts are in this node's memory. */
export function createServiceFailureLimit({
  settings,
  random,
  clock,
  emit,
}: Omit<RateLimitDeps, "settings"> & { readonly settings: Pick<Settings, "serviceFailureLimit"> }): FailureLimit {
  const key = random(16);
  const limiter = createLimiter(settings.serviceFailureLimit);
  // One event a minute and bucket, so that a flood of requests is not a flood of events.
  const events = new RateLimiterMemory({ points: 1, duration: minutes(1) });
  return {
    async requireBelow(client) {
      if (limiter === null || client.ip === undefined) return;
      const bucket = toBucket(key, toClientNetwork(client.ip));
      const counted = await limiter.get(bucket);
      if (counted === null || counted.consumedPoints < limiter.points) return;
      if ((await events.penalty(bucket)).consumedPoints === 1) {
        emit({ type: "service_refused", time: clock.now(), refusal: "throttled", client });
      }
      throw new AuthError("throttled", "requests", { retryAfter: toSeconds(counted) });
    },
    async count({ ip }) {
      if (limiter !== null && ip !== undefined) await limiter.penalty(toBucket(key, toClientNetwork(ip)));
    },
  };
}

function toSeconds({ msBeforeNext }: RateLimiterRes): number {
  return Math.max(1, Math.ceil(msBeforeNext / 1_000));
}

function createLimiter(limit: number): RateLimiterMemory | null {
  return limit === 0 ? null : new RateLimiterMemory({ points: limit, duration: minutes(1) });
}

/**
 * Returns the number of the bucket that counts an address. There are only 65,536 buckets, so that any number of addresses
 * takes a limited amount of memory. The key is random, so that an attacker can't find an address that shares a bucket with
 * a victim.
 */
function toBucket(key: Uint8Array, network: string): number {
  return createHmac("sha256", key).update(network).digest().readUInt16BE(0);
}
