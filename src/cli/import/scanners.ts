/** Finds the records of a file. It looks only for ASCII bytes, which never occur inside other characters in UTF-8. */
export interface Scanner {
  /** Returns whether the next byte is part of a record, ends a record, or is outside of all records. */
  readonly scan: (byte: number) => "part" | "end" | "outside";
  /** Returns why the file can't end here, as a full sentence, or `null` if it can. */
  readonly findFaultAtEnd: () => string | null;
}

const toByte = (character: string) => character.charCodeAt(0);
const [lineEnd, quote, backslash, comma] = [toByte("\n"), toByte('"'), toByte("\\"), toByte(",")];
const [arrayStart, arrayEnd] = [toByte("["), toByte("]")];
const [objectStart, objectEnd] = [toByte("{"), toByte("}")];
const space = toByte(" ");

/** Creates a scanner for one record per line. */
export function createLineScanner(): Scanner {
  return { scan: (byte) => (byte === lineEnd ? "end" : "part"), findFaultAtEnd: () => null };
}

/** Creates a scanner for CSV. A record is a line, except that a quoted field may contain line ends (RFC 4180). */
export function createCsvScanner(): Scanner {
  const delimiters = new Set([comma, toByte(";"), toByte("\t")]);
  let isQuoted = false;
  // A quote opens a quoted field at the start of a field and, as the second of two, directly after a closing quote.
  let mayOpen = true;
  return {
    scan(byte) {
      if (byte === quote && (isQuoted || mayOpen)) {
        isQuoted = !isQuoted;
        mayOpen = !isQuoted;
        return "part";
      }
      if (isQuoted) return "part";
      mayOpen = byte === lineEnd || delimiters.has(byte);
      return byte === lineEnd ? "end" : "part";
    },
    findFaultAtEnd: () => (isQuoted ? "The file ends inside a quoted field." : null),
  };
}

/**
 * Creates a scanner for the elements of a JSON array, with line breaks at any position. It doesn't check whether the
 * elements are valid JSON.
 */
export function createArrayScanner(): Scanner {
  let state: keyof typeof faultsOfArray = "before";
  let depth = 0;
  let isText = false;
  let isEscaped = false;

  function scanElements(byte: number): "part" | "end" {
    if (isText) {
      if (byte === quote && !isEscaped) isText = false;
      isEscaped = byte === backslash && !isEscaped;
      return "part";
    }
    if (byte === quote) isText = true;
    if (byte === objectStart || byte === arrayStart) depth++;
    if (depth === 0 && byte === arrayEnd) state = "after";
    if (depth === 0) return byte === comma || byte === arrayEnd ? "end" : "part";
    if (byte === objectEnd || byte === arrayEnd) depth--;
    return "part";
  }

  return {
    scan(byte) {
      if (state === "within") return scanElements(byte);
      if (byte <= space || (state === "before" && byteOrderMark.has(byte))) return "outside";
      if (state === "before" && byte === arrayStart) {
        state = "within";
        return "outside";
      }
      state = state === "before" || state === "missing" ? "missing" : "beyond";
      return "part";
    },
    findFaultAtEnd: () => faultsOfArray[state],
  };
}

/** The reasons why the file can't end, by the state of the scanner. */
const faultsOfArray = {
  before: "The file has no JSON array.",
  missing: 'A JSON array must begin with "[".',
  within: "The file ends inside its JSON array. It may be truncated.",
  after: null,
  beyond: "There is more text after the end of the JSON array.",
} as const;

/** The bytes of U+FEFF in UTF-8. */
const byteOrderMark: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf]);
