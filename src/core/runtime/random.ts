import { randomBytes } from "node:crypto";

/** Returns `size` unpredictable bytes. */
export type Random = (size: number) => Uint8Array;

/** The machine's cryptographic random number generator. */
export const systemRandom: Random = (size) => randomBytes(size);
