import type { Pepper } from "../../core/settings/peppers.ts";

/** A pepper as the hash function takes it. */
export interface PepperKey {
  readonly id: string;
  readonly key: Uint8Array;
}

/** The peppers that are known, by the bytes under which hashes name them. */
export interface Peppers {
  /** The one for new hashes; `undefined`: they get none. */
  readonly current: PepperKey | undefined;
  /** The pepper that a hash names; the same object at every call. */
  find(keyId: Uint8Array): PepperKey | undefined;
}

/** Peppers, the current one first. */
export function createPeppers(peppers: readonly Pepper[]): Peppers {
  const keys = peppers.map(({ id, key }): PepperKey => Object.freeze({ id, key: Buffer.from(key) }));
  return Object.freeze({
    current: keys[0],
    find: (keyId: Uint8Array) => keys.find(({ id }) => Buffer.from(id).equals(keyId)),
  });
}
