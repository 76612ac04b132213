/**
 * Fails if a text that people read has a banned word or construction: scripts/language/rules.ts. Looks at the comments,
 * strings and identifiers of src/, at the pages below, and at the expected output of the CLI.
 *
 * Usage: node scripts/check-language.ts [--counts] [PATH…]
 *
 * `--counts` prints the number of findings of each file instead of the findings.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { checkLanguage } from "./language/check.ts";

/** Pages in plain English. Add a page here once it has been rewritten. */
const pages = [
  "README.md",
  "SECURITY.md",
  "CONTRIBUTING.md",
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  "CODE_OF_CONDUCT.md",
  "AGENTS.md",
  "docs/asvs.md",
  "docs/browser.md",
  "docs/cli.md",
  "docs/coming-from.md",
  "docs/decisions/README.md",
  "docs/decisions/audit.md",
  "docs/decisions/client.md",
  "docs/decisions/common-passwords.md",
  "docs/decisions/confirmed-revocation.md",
  "docs/decisions/experiments.md",
  "docs/decisions/group-commit.md",
  "docs/decisions/keys.md",
  "docs/decisions/library-api.md",
  "docs/decisions/package.md",
  "docs/decisions/passwords.md",
  "docs/decisions/revocation-index.md",
  "docs/decisions/rooms.md",
  "docs/decisions/rotation.md",
  "docs/decisions/signatures.md",
  "docs/decisions/users.md",
  "docs/decisions/verify-cache.md",
  "docs/postmortems/pipelined-requests.md",
  "docs/events.md",
  "docs/how-it-works.md",
  "docs/keys-in-depth.md",
  "docs/keys.md",
  "docs/many-nodes.md",
  "docs/operating.md",
  "docs/postgresql.md",
  "docs/production.md",
  "docs/refresh.md",
  "docs/revocation.md",
  "docs/rotation.md",
  "docs/services-without-a-database.md",
  "docs/services.md",
  "docs/sessions-and-devices.md",
  "docs/skill/SKILL.md",
  "docs/console.md",
  "docs/demonstration.md",
  "docs/observing.md",
  "docs/retention.md",
  "docs/scaling.md",
  "docs/versions.md",
  "docs/troubleshooting.md",
  "docs/verifier/README.md",
  "docs/websockets.md",
  "docs/why-not-plain-sessions.md",
  "docs/passwords.md",
  "docs/performance.md",
  "docs/proxies-auth.md",
];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { counts: { type: "boolean" } } });
const paths = positionals.length > 0 ? positionals : listPaths();
const reports = paths.map((path) => ({ path, findings: checkLanguage(path, readText(path)) }));
const count = reports.reduce((sum, { findings }) => sum + findings.length, 0);

for (const { path, findings } of reports) {
  if (values.counts) {
    if (findings.length > 0) console.log(`${String(findings.length).padStart(4)}  ${path}`);
  } else for (const { line, found, use } of findings) console.error(`${path}:${line}: "${found}": write ${use}`);
}
console.log(`language: ${toCount(count, "finding")} in ${toCount(paths.length, "file")}`);
if (count > 0) process.exitCode = 1;

function listPaths(): string[] {
  return [
    ...globSync(["src/**/*.{ts,tsx}", "test/cli/**/*.script"]).sort(),
    ...pages.filter((page) => existsSync(page)),
  ];
}

function toCount(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

/** The changelog's older entries stay as they were released. */
function readText(path: string): string {
  const text = readFileSync(path, "utf8");
  return path.endsWith("CHANGELOG.md")
    ? text
        .split(/^(?=## )/m)
        .slice(0, 2)
        .join("")
    : text;
}
