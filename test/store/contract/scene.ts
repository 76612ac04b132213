import type { Store } from "../../../src/core/store/index.ts";

/** What a test of the contract works with. The test moves `now`, which is the store's time. */
export interface Scene {
  /** The store under test. */
  store: Store;
  /** Whole seconds since the epoch. */
  now: number;
}

/** Creates an empty, migrated store whose time is `now`. `cleanup` closes it and removes its data. */
export type CreateStore = (options: {
  readonly now: () => number;
}) => Promise<{ readonly store: Store; readonly cleanup: () => Promise<void> }>;
