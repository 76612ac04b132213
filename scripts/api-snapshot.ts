/**
 * Keeps docs/api.snapshot.txt: every name that the package exports with its signature, read from the built `.d.ts` files.
 *
 * - `npm run api` builds and writes the file.
 * - `node scripts/api-snapshot.ts --check` (part of `npm run check`) fails if the file differs from the build.
 *
 * The rule for changes: an addition only needs `npm run api`. If a line is removed or changed, the top section of CHANGELOG.md
 * must have its name in backticks: `endAll` for `Auth.sessions.endAll`, or `SessionView` if the whole declaration was removed.
 * `npm run api` refuses to write the file before that. A changed line counts as one removed and one added.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type PublicApi, readPublicApi } from "./public-api/read.ts";

const preamble =
  "Every exported name with its signature. Written by `npm run api`; explained in scripts/api-snapshot.ts.";

/** The difference between two snapshots. */
export interface ApiDifference {
  /** New lines with their entry, such as `tokenpair: Auth.close(): Promise<void>`. */
  readonly added: readonly string[];
  /** Removed lines, and changed lines as they were. */
  readonly removed: readonly string[];
  /** Names of removed lines that the changelog does not mention. */
  readonly unexplained: readonly string[];
}

/** Returns the text of the snapshot, in an order that is the same on every machine. */
export function toSnapshot({ entries }: PublicApi): string {
  const blocks = [...entries].map(([specifier, declarations]) => {
    const signatures = declarations.flatMap((declaration) => declaration.signatures);
    const sorted = signatures.toSorted((a, b) => compare(a.path, b.path) || compare(toRank(a.text), toRank(b.text)));
    return [specifier, ...sorted.map(({ text }) => `  ${text}`)].join("\n");
  });
  return `${[preamble, ...blocks].join("\n\n")}\n`;
}

/** Compares two snapshots, and looks for the names of removed lines in the changelog. */
export function compareSnapshots(recorded: string, built: string, changelog: string): ApiDifference {
  const [before, after] = [parseSnapshot(recorded), parseSnapshot(built)];
  const removed = before.filter((line) => !after.includes(line));
  const kept = new Set(after.map((line) => `${toEntry(line)} ${toPath(line)[0]}`));
  const names = removed.map((line) => {
    const path = toPath(line);
    return (kept.has(`${toEntry(line)} ${path[0]}`) ? path.at(-1) : path[0]) ?? "";
  });
  const explained = listExplainedNames(changelog);
  return {
    added: after.filter((line) => !before.includes(line)),
    removed,
    unexplained: [...new Set(names)].filter((name) => !explained.has(name)),
  };
}

/** Returns every signature with its entry: `tokenpair: Auth.close(): Promise<void>`. */
function parseSnapshot(snapshot: string): readonly string[] {
  let entry = "";
  return snapshot.split("\n").flatMap((line) => {
    if (line.startsWith("  ")) return [`${entry}: ${line.trim()}`];
    entry = line;
    return [];
  });
}

function toEntry(line: string): string {
  return line.slice(0, line.indexOf(":"));
}

/** Returns `["Auth", "sessions", "list"]` for `tokenpair: Auth.sessions.list(…)`. */
function toPath(line: string): readonly string[] {
  const keywords = /^[^:]+: (?:(?:class|interface|type|function|const|readonly|static|abstract|protected|get|set) )*/;
  const [path = ""] = /^[\w$.]+/.exec(line.replace(keywords, "")) ?? [];
  return path.split(".");
}

/** Returns the words in the code spans of the changelog's top section. */
function listExplainedNames(changelog: string): ReadonlySet<string> {
  const [, section = ""] = changelog.split(/^## /m);
  const spans = [...section.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span);
  return new Set(spans.flatMap((span) => span.match(/[\w$]+/g) ?? []));
}

/** Puts a declaration before its index signatures, or the alternatives of its union, which have the same path. */
function toRank(text: string): string {
  return /^(?:class|interface|type|function|const) /.test(text) ? `0${text}` : `1${text}`;
}

/** Compares by code units, which no locale changes. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function main(): void {
  const root = join(import.meta.dirname, "..");
  const path = join(root, "docs/api.snapshot.txt");
  const built = toSnapshot(readPublicApi(root));
  const recorded = existsSync(path) ? readFileSync(path, "utf8") : "";
  const changelog = readFileSync(join(root, "CHANGELOG.md"), "utf8");
  const { added, removed, unexplained } = compareSnapshots(recorded, built, changelog);
  for (const line of removed) console.log(`- ${line}`);
  for (const line of added) console.log(`+ ${line}`);
  if (unexplained.length > 0) {
    const names = unexplained.map((name) => `\`${name}\``).join(", ");
    console.error(`Removed or changed, and not in the top section of CHANGELOG.md: ${names}.`);
    console.error("Add a line for each, with the name in backticks. Then run: npm run api");
    process.exitCode = 1;
  } else if (!process.argv.includes("--check")) {
    writeFileSync(path, built);
    console.log(`docs/api.snapshot.txt: ${parseSnapshot(built).length} signatures`);
  } else if (recorded !== built) {
    console.error("docs/api.snapshot.txt differs from the build. Run: npm run api");
    process.exitCode = 1;
  } else console.log(`docs/api.snapshot.txt matches the ${parseSnapshot(built).length} exported signatures`);
}

if (import.meta.main) main();
