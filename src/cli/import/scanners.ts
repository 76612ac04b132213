/**
 * What a byte is to the records of a file: part of one, the end of one, or neither. Every byte that means something here is
 * ASCII, which UTF-8 uses for nothing else.
 */
export interface Scanner {
  readonly scan: (byte: number) => "part" | "end" | "outside";
  /** Why the file cannot end here; `null` where it can. */
  readonly findFaultAtEnd: () => string | null;
}

const toByte = (character: string) => character.charCodeAt(0);
const [lineEnd, quote, backslash, comma] = [toByte("\n"), toByte('"'), toByte("\\"), toByte(",")];
const [listStart, listEnd] = [toByte("["), toByte("]")];
const [objectStart, objectEnd] = [toByte("{"), toByte("}")];
const space = toByte(" ");

/** A record on each line. */
export function createLineScanner(): Scanner {
  return { scan: (byte) => (byte === lineEnd ? "end" : "part"), findFaultAtEnd: () => null };
}

/** Lines, but for line ends in quoted fields (RFC 4180). */
export function createCsvScanner(): Scanner {
  const delimiters = new Set([comma, toByte(";"), toByte("\t")]);
  let isQuoted = false;
  // Where a quote opens a quoted field: at the start of a field and, as the second of two, right after one that closed it.
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
    findFaultAtEnd: () => (isQuoted ? "The file ends within a quoted field." : null),
  };
}

/** The elements of a JSON list, wherever its lines end. Whether each of them is JSON shows when it is parsed. */
export function createListScanner(): Scanner {
  let state: keyof typeof faultsOfList = "before";
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
    if (byte === objectStart || byte === listStart) depth++;
    if (depth === 0 && byte === listEnd) state = "after";
    if (depth === 0) return byte === comma || byte === listEnd ? "end" : "part";
    if (byte === objectEnd || byte === listEnd) depth--;
    return "part";
  }

  return {
    scan(byte) {
      if (state === "within") return scanElements(byte);
      if (byte <= space || (state === "before" && byteOrderMark.has(byte))) return "outside";
      if (state === "before" && byte === listStart) {
        state = "within";
        return "outside";
      }
      state = state === "before" || state === "missing" ? "missing" : "beyond";
      return "part";
    },
    findFaultAtEnd: () => faultsOfList[state],
  };
}

/** By how far the list has come when the file ends. */
const faultsOfList = {
  before: "There is no JSON list.",
  missing: 'A JSON list begins with "[".',
  within: "The file ends within its JSON list: is it whole?",
  after: null,
  beyond: "There is more after the end of the JSON list.",
} as const;

/** U+FEFF in UTF-8. */
const byteOrderMark: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf]);
