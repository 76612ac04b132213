import fc from "fast-check";

/** What breaks parsers: line ends, separators, escapes, numbers out of range, names of inherited properties. */
const dictionary = [
  ..."\0\t\r\n \"'\\,.:;=+-_/%&?#@{}[]()<>*$|~`",
  "\r\n\r\n",
  "\u007f",
  "\u0080",
  "\u00a0",
  "\u2028",
  "\ufeff",
  "\ufffd",
  "\ud800",
  "\udfff",
  "👩‍🚀",
  "%00",
  "%2F",
  "\\u0000",
  "null",
  "true",
  "NaN",
  "1e400",
  "-0",
  "9007199254740993",
  "__proto__",
  "constructor",
  "toString",
];

interface Mutation {
  readonly kind: "delete" | "insert" | "repeat" | "splice" | "swap" | "replace";
  readonly at: number;
  readonly length: number;
  readonly word: string;
  readonly other: number;
}

/**
 * Creates texts that are at most six edits away from one of `seeds`. Edits insert `words` of the format, among others.
 */
export function mutationsOf(seeds: readonly string[], words: readonly string[] = []): fc.Arbitrary<string> {
  const mutation: fc.Arbitrary<Mutation> = fc.record({
    kind: fc.constantFrom("delete", "insert", "repeat", "splice", "swap", "replace"),
    at: fc.nat(),
    length: fc.oneof({ weight: 4, arbitrary: fc.nat({ max: 4 }) }, { weight: 1, arbitrary: fc.nat({ max: 2_000 }) }),
    word: fc.oneof(fc.constantFrom(...dictionary, ...words), fc.string({ unit: "binary", maxLength: 3 })),
    other: fc.nat(),
  });
  return fc
    .tuple(fc.constantFrom(...seeds), fc.array(mutation, { maxLength: 6 }))
    .map(([seed, mutations]) => mutations.reduce((text, change) => mutate(text, change, seeds), seed));
}

function mutate(text: string, { kind, at: position, length, word, other }: Mutation, seeds: readonly string[]): string {
  const at = position % (text.length + 1);
  const [before, part, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)];
  switch (kind) {
    case "delete":
      return before + after;
    case "insert":
      return before + word + text.slice(at);
    case "repeat":
      return before + part + part + after;
    case "splice":
      return before + (seeds[other % seeds.length] ?? "").slice(other % (text.length + 1));
    case "swap":
      return after + part + before;
    case "replace":
      return before + word + after;
  }
}

/** Converts a text to a header's value as a server gets it: one byte a character, no line ends, no blanks around it. */
export function toHeaderValue(text: string): string {
  return Buffer.from(text)
    .toString("latin1")
    .replaceAll(/[\0\r\n]/g, "")
    .trim();
}
