import type fc from "fast-check";

/** A parser of hostile input. */
export interface FuzzTarget {
  /** A noun phrase for the input, such as "a Cookie header". */
  readonly name: string;
  /** The inputs to try. */
  readonly inputs: fc.Arbitrary<string>;
  /** Parses the input. Throws if the result is wrong. */
  check(input: string): void | Promise<void>;
}
