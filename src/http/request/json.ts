/** A number as the client wrote it: a double would lose the digits of a large one. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a reviver is told beside name and value (ECMAScript, "JSON.parse source text access"). */
interface ReviverContext {
  readonly source?: string;
}

/**
 * Parses JSON (RFC 8259) with its numbers as `JsonNumber`. Of two members with one name the last counts.
 *
 * @throws SyntaxError where it is not JSON; RangeError where it is nested too deeply.
 */
export function parseJson(text: string): unknown {
  return JSON.parse(text, (_name: string, value: unknown, context?: ReviverContext) =>
    typeof value === "number" ? new JsonNumber(context?.source ?? String(value)) : value,
  );
}

/** What Python calls the type of a JSON value that is neither an object nor `null`: the names that simplejwt's clients know. */
export function toPythonTypeName(value: unknown): "list" | "str" | "int" | "float" | "bool" {
  if (Array.isArray(value)) return "list";
  if (value instanceof JsonNumber) return /^-?\d+$/.test(value.text) ? "int" : "float";
  return typeof value === "string" ? "str" : "bool";
}
