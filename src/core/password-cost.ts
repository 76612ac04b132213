/** What one argon2id hash costs. */
export interface PasswordCost {
  /** KiB. */
  readonly memoryCost: number;
  /** Passes over the memory. */
  readonly timeCost: number;
  /** Threads. */
  readonly parallelism: number;
}

/** The parameters that the OWASP Password Storage Cheat Sheet gives for argon2id: 19 MiB, two passes, one thread. */
export const owaspCost: PasswordCost = Object.freeze({ memoryCost: 19_456, timeCost: 2, parallelism: 1 });

/**
 * The most that one hash may cost, whether it is made here or was stored by others: 256 MiB, 1 GiB written in all passes,
 * 16 threads.
 */
export const costLimits = Object.freeze({ memory: 262_144, memoryWritten: 1_048_576, parallelism: 16 });

/** The function has no smaller memory than two blocks for each of four slices and each thread (RFC 9106 §3.1), in KiB. */
export const minMemoryPerThread = 8;

/** Whether a hash of this cost is within the limits. */
export function isAffordable({ memoryCost, timeCost, parallelism }: PasswordCost): boolean {
  return (
    memoryCost <= costLimits.memory &&
    memoryCost * timeCost <= costLimits.memoryWritten &&
    parallelism <= costLimits.parallelism
  );
}
