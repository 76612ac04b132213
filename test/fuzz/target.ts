import type fc from "fast-check";

/** One parser of hostile input. */
export interface FuzzTarget {
  readonly name: string;
  readonly inputs: fc.Arbitrary<string>;
  /** Throws where the parser does what it must not for this input. */
  check(input: string): void | Promise<void>;
}
