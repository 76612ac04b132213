/**
 * Fails unless a user of the package can name and understand everything that it exports:
 *
 * 1. Every type of this package that an exported signature names is exported by an entry.
 * 2. Every export, and every member of an exported interface, class or object type, has a docstring with at least one sentence,
 *    and so has each overload. A member with one possible value, such as `type: "login"`, needs none.
 *
 * Rule 2 also applies to the types that rule 1 reports, so that the list does not grow while you export them.
 */
import { join } from "node:path";
import { type PublicApi, readPublicApi } from "./public-api/read.ts";

/** Returns one line for each fault, sorted by source file. */
export function listDocstringFaults({ entries, unexported }: PublicApi): string[] {
  const declarations = [...entries.values()].flat();
  const hidden = unexported.map(({ file, name, usedBy }) => `${file}: ${name} is not exported, and ${usedBy} names it`);
  const silent = [...declarations, ...unexported].flatMap(({ file, undocumented }) =>
    undocumented.map((path) => `${file}: ${path} has no docstring`),
  );
  return [...new Set([...hidden, ...silent])].sort();
}

function main(): void {
  const api = readPublicApi(join(import.meta.dirname, ".."));
  const faults = listDocstringFaults(api);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) {
    console.error(`${faults.length} faults. Export each type from an entry, and add a docstring to each name.`);
    process.exitCode = 1;
  } else console.log("every type in an exported signature is exported, and every export and member has a docstring");
}

if (import.meta.main) main();
