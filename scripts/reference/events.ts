/** Writes the table of docs/events.md from the catalogue of events, which is the reference. Run by `npm run docs`. */
import { readFileSync, writeFileSync } from "node:fs";
import { catalogue } from "../../src/events/catalogue/catalogue.ts";

const path = new URL("../../docs/events.md", import.meta.url);
const begin = "<!-- Generated from src/events/catalogue/catalogue.ts by `npm run docs`: begin -->";
const end = "<!-- end -->";

/** Returns `page` with the table between its two marks replaced by that of the catalogue. */
export function withEventTable(page: string): string {
  const [before, rest = ""] = page.split(`${begin}\n`);
  const [, after] = rest.split(`${end}\n`);
  if (after === undefined) throw new Error("docs/events.md lacks the marks around its table");
  return `${before}${begin}\n${toEventTable()}${end}\n${after}`;
}

function toEventTable(): string {
  const rows = Object.entries(catalogue).map(([type, { description, fields, audit, auditNote }]) => {
    const list = Object.entries(fields).map(([name, text]) => (text === "" ? `\`${name}\`` : `\`${name}\` (${text})`));
    if (typeof audit === "function" && auditNote === undefined) throw new Error(`${type} needs an auditNote`);
    return `| \`${type}\` | ${description} | ${list.join(", ")} | ${auditNote ?? audit} |\n`;
  });
  return `| type | meaning | fields | audit log |\n|---|---|---|---|\n${rows.join("")}`;
}

if (import.meta.main) writeFileSync(path, withEventTable(readFileSync(path, "utf8")));
