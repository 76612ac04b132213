/** A number as the client wrote it. Converting it to a double could lose digits. */
export class JsonNumber {
  /** The digits, exactly as in the JSON text. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** The third argument of a JSON reviver (ECMAScript, "JSON.parse source text access"). */
interface ReviverContext {
  readonly source?: string;
}

/**
 * Parses JSON (RFC 8259). Numbers become `JsonNumber` objects. If two members have the same name, the last one counts.
 *
 * @throws SyntaxError if the text is not JSON.
 * @throws RangeError if it is nested too deeply.
 */
export function parseJson(text: string): unknown {
  return JSON.parse(text, (_name: string, value: unknown, context?: ReviverContext) =>
    typeof value === "number" ? new JsonNumber(context?.source ?? String(value)) : value,
  );
}

/**
 * Returns Python's name for the type of a JSON value that is neither an object nor `null`. simplejwt's error messages
 * contain these names.
 */
export function toPythonTypeName(value: unknown): "list" | "str" | "int" | "float" | "bool" {
  if (Array.isArray(value)) return "list";
  if (value instanceof JsonNumber) return /^-?\d+$/.test(value.text) ? "int" : "float";
  return typeof value === "string" ? "str" : "bool";
}

/** Returns an object of `parseJson` with ordinary numbers, as the application expects it. */
export function toPlainJson(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return JSON.parse(
    JSON.stringify(fields, (_name, value) => (value instanceof JsonNumber ? Number(value.text) : value)),
  );
}
