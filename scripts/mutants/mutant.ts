/** A small change to the source that some test must notice. */
export interface Mutant {
  /** Says what is broken, as a full clause: "a logout is not applied on this node". */
  readonly name: string;
  /** The changed file, relative to the root of the repository. */
  readonly file: string;
  /** Text that is exactly once in the file. Keep it short, so that it survives edits around it. */
  readonly find: string;
  /** What takes the place of `find`. The result must compile. */
  readonly replace: string;
  /** The test files of which at least one must fail, relative to the root. */
  readonly tests: readonly string[];
}

/** Returns the changed source, or `null` if `find` is not exactly once in `source`. */
export function applyMutant(source: string, { find, replace }: Pick<Mutant, "find" | "replace">): string | null {
  const parts = source.split(find);
  return parts.length === 2 ? parts.join(replace) : null;
}
