import { AuthError } from "../core/errors.ts";

/**
 * Parses a JSON object. Member names must be unique, at every level (RFC 7515 §4, RFC 8259 §4).
 *
 * @param what the name of `text` in the error's reason.
 * @throws AuthError `token_invalid` for any other text.
 */
export function parseJsonObject(text: string, what = "text"): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's error quotes the text, so it must not be the cause.
    throw new AuthError("token_invalid", `${what} is not JSON`);
  }
  if (!isObject(value) || Array.isArray(value)) throw new AuthError("token_invalid", `${what} is not a JSON object`);
  // JSON.parse keeps one of two members with the same name, so the object has fewer members than the text.
  if (!isPlainlyUnique(value, text) && countMembers(value) !== countMemberNames(text)) {
    throw new AuthError("token_invalid", `${what} has duplicate members`);
  }
  return value;
}

/**
 * Returns true if a quick check shows that the names are unique. This is the case for nearly every token: without a second
 * brace, no object is nested, and the number of colons is the number of members. Braces and colons in strings are counted
 * too, but they can only make the result false.
 */
function isPlainlyUnique(object: Record<string, unknown>, text: string): boolean {
  if (text.indexOf("{", 1) !== -1) return false;
  let colons = 0;
  for (let i = text.indexOf(":"); i !== -1; i = text.indexOf(":", i + 1)) colons++;
  return colons === Object.keys(object).length;
}

/** Freezes a JSON value and everything in it. It doesn't use recursion, so deep nesting can't exhaust the stack. */
export function deepFreeze<T extends object>(root: T): T {
  const queue: object[] = [root];
  for (const item of queue) {
    Object.freeze(item);
    for (const value of Object.values(item)) if (isObject(value)) queue.push(value);
  }
  return root;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/**
 * Returns how many members `root` and all objects in it have. It doesn't use recursion, so deep nesting can't exhaust the
 * stack.
 */
function countMembers(root: Record<string, unknown>): number {
  let count = 0;
  const queue: object[] = [root];
  for (const item of queue) {
    const values = Object.values(item);
    if (!Array.isArray(item)) count += values.length;
    for (const value of values) if (isObject(value)) queue.push(value);
  }
  return count;
}

/** Returns how many member names a valid JSON text has: one for each colon outside a string. */
function countMemberNames(json: string): number {
  let count = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const char = json[i];
    if (char === '"') inString = !inString;
    else if (char === "\\") i++;
    else if (char === ":" && !inString) count++;
  }
  return count;
}
