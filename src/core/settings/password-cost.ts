import { SettingError } from "./setting-error.ts";
import type { PasswordSettings } from "./user-settings.ts";

/** The cost of one argon2id hash. */
export interface PasswordCost {
  /** The memory, in KiB. */
  readonly memoryCost: number;
  /** The number of passes over the memory. */
  readonly timeCost: number;
  /** The number of threads. */
  readonly parallelism: number;
}

/** The cost that the OWASP Password Storage Cheat Sheet recommends for argon2id: 19 MiB, two passes, one thread. */
export const owaspCost: PasswordCost = Object.freeze({ memoryCost: 19_456, timeCost: 2, parallelism: 1 });

/**
 * The highest cost of one hash, whether it is new or imported: 256 MiB of memory, 1 GiB written in all passes together, and
 * 16 threads.
 */
export const costLimits = Object.freeze({ memory: 262_144, memoryWritten: 1_048_576, parallelism: 16 });

/** The least memory for each thread, in KiB: two blocks for each of the four slices (RFC 9106 §3.1). */
export const minMemoryPerThread = 8;

/** The costs that OWASP calls equivalent, as pairs of memory in KiB and passes. */
const owaspEquivalents = [
  [47_104, 1],
  [19_456, 2],
  [12_288, 3],
  [9_216, 4],
  [7_168, 5],
] as const;

/** Returns whether a hash costs at least what OWASP recommends. */
export function isRecommended({ memoryCost, timeCost }: PasswordCost): boolean {
  return owaspEquivalents.some(([memory, passes]) => memoryCost >= memory && timeCost >= passes);
}

/** Returns the cost of new hashes, according to the settings. */
export function toPasswordCost(
  settings: Pick<PasswordSettings, "passwordMemoryCost" | "passwordTimeCost" | "passwordParallelism">,
): PasswordCost {
  return {
    memoryCost: settings.passwordMemoryCost,
    timeCost: settings.passwordTimeCost,
    parallelism: settings.passwordParallelism,
  };
}

/** Returns whether a hash of this cost is within the limits. */
export function isAffordable({ memoryCost, timeCost, parallelism }: PasswordCost): boolean {
  return (
    memoryCost <= costLimits.memory &&
    memoryCost * timeCost <= costLimits.memoryWritten &&
    parallelism <= costLimits.parallelism
  );
}

/**
 * Checks the cost of new hashes, whose single values have been checked before.
 *
 * @param names how the caller's settings are called.
 * @throws SettingError if the values don't fit together.
 */
export function requireAffordableCost(
  cost: PasswordCost,
  names: { readonly memoryCost: string; readonly timeCost: string },
): void {
  const { memoryCost, timeCost, parallelism } = cost;
  if (memoryCost < minMemoryPerThread * parallelism) {
    throw new SettingError(
      names.memoryCost,
      `must be at least ${minMemoryPerThread} KiB for each thread, got ${memoryCost} for ${parallelism}.`,
    );
  }
  if (isAffordable(cost)) return;
  throw new SettingError(
    names.timeCost,
    `times ${names.memoryCost} must be at most 1 GiB, got ${timeCost} times ${memoryCost} KiB. Lower one of them.`,
  );
}
