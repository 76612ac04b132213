/*
 * How long a stream lasts. In a stream, a reader counts time by the sender's clock, which may run faster than its own by a
 * thousandth. So a reader may rely on a frame for longer than its lease: the longer the stream lasts, the longer. The lease that is
 * registered for it includes that.
 */

/** Milliseconds that a stream lasts, and how much more or less by chance. */
const longest = 900_000;
const spread = 0.2;

/** How many leases a stream lasts at most: then the clocks differ by less than a tenth of one. */
const leasesPerStream = 60;

const drift = 0.001;

/**
 * Returns after how many milliseconds the stream of a reader with a lease is closed.
 *
 * @param fraction from 0 to 1, by chance.
 */
export function toStreamTime(lease: number, fraction: number): number {
  return Math.min(longest, lease * leasesPerStream) * (1 - spread + 2 * spread * fraction);
}

/**
 * Returns the lease that is registered for a reader, in milliseconds: its own, and what the clocks may differ by during a stream. For
 * polls it is the same: a process that waits for a revocation then waits for a little longer than the node that waits for its
 * reader, and doesn't take that node for a silent one. A relay must ask for at least that with its own lease.
 */
export function toRegisteredLease(lease: number): number {
  return Math.ceil(lease + toStreamTime(lease, 1) * drift);
}
