import type { Pepper } from "../../core/settings/peppers.ts";

/** A pepper in the form in which it is passed to the hash function. */
export interface PepperKey {
  readonly id: string;
  readonly key: Uint8Array;
}

/** The configured peppers. */
export interface Peppers {
  /** The pepper of new hashes, or `undefined` if they have none. */
  readonly current: PepperKey | undefined;
  /** Returns the pepper with the id in a hash. It is the same object at every call. */
  find(keyId: Uint8Array): PepperKey | undefined;
}

/** Creates the peppers. The first one is the current one. */
export function createPeppers(peppers: readonly Pepper[]): Peppers {
  const keys = peppers.map(({ id, key }): PepperKey => Object.freeze({ id, key: Buffer.from(key) }));
  return Object.freeze({
    current: keys[0],
    find: (keyId: Uint8Array) => keys.find(({ id }) => Buffer.from(id).equals(keyId)),
  });
}
