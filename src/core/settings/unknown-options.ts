import { closestMatch } from "leven";

/** The known name that whoever wrote `name` has meant; `undefined` where none is near. */
export function findNearestName(name: string, known: readonly string[]): string | undefined {
  return closestMatch(name, known, { maxDistance: Math.ceil(name.length / 3) });
}

/**
 * Refuses options that nothing reads, such as a name that is misspelt.
 *
 * @throws TypeError that names the option, and the nearest one that there is or all of them.
 */
export function refuseUnknownOptions(taker: string, options: object, known: readonly string[]): void {
  const name = Object.keys(options).find((option) => !known.includes(option));
  if (name === undefined) return;
  const nearest = findNearestName(name, known);
  const help = nearest === undefined ? `there are ${known.join(", ")}` : `did you mean ${nearest}?`;
  throw new TypeError(`${taker}: ${name}: no such option; ${help}`);
}

/**
 * Makes sure that `options` is an object with known members only.
 *
 * @throws TypeError that says what is wrong.
 */
export function requireOptions(taker: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`${taker}: the options must be an object with ${known.join(", ")}, got ${typeof options}`);
  }
  refuseUnknownOptions(taker, options, known);
}

/** @throws TypeError that names the option. */
export function requireFunctions(options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && typeof value !== "function") throw new TypeError(`${name}: must be a function`);
  }
}
