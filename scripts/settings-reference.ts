/** Writes docs/settings.md from the docstrings of the settings, which are the reference. Run by `npm run docs`. */
import { readFileSync, writeFileSync } from "node:fs";

const root = new URL("..//", import.meta.url);
const preamble = `# Settings

Made from the docstrings in \`src/\` by \`npm run docs\`.

\`createAuth({ store, signingKey, … })\` takes those of the first table. \`tokenpair serve\` takes both, from (in rising order)
their defaults, \`tokenpair.config.js\` (or .mjs, .ts, .json) in the working directory, the environment, and flags. The name
in the environment is \`TOKENPAIR_\` and the setting in upper snake case: \`TOKENPAIR_ACCESS_TOKEN_LIFETIME=900\`. Durations are
whole seconds; \`minutes(15)\` and \`days(30)\` write them. Only the options of the stores, at the end, count in milliseconds, as
\`pg\` and \`node:sqlite\` do. A name that is no setting refuses the start and is told the nearest one.
`;

/** The page, whole. */
export function toSettingsReference(): string {
  return [
    preamble,
    "## Of `createAuth`\n",
    toTable("src/core/settings/settings.ts", "Settings"),
    "## Of `tokenpair serve` alone\n",
    toTable("src/server/config/server-settings.ts", "ServerSettings"),
    "## Of `createAuth`, in code alone\n",
    toTable("src/auth.ts", "AuthOptions"),
    "## Of `sqliteStore`\n",
    "`sqliteStore(path)`, or `sqliteStore({ path, … })`. Times are in milliseconds.\n",
    toTable("src/store/sqlite/index.ts", "SqliteStoreOptions"),
    "## Of `postgresStore`\n",
    "`postgresStore(connectionString)`, or with an object, whose times are in milliseconds. With a pool of the store's own:\n",
    toTable("src/store/postgres/connection/options.ts", "PostgresConnectionOptions"),
    "With a pool of yours, which stays yours to end:\n",
    toTable("src/store/postgres/connection/options.ts", "PostgresPoolOptions"),
    "With either:\n",
    toTable("src/store/postgres/connection/options.ts", "PostgresBehaviour"),
  ].join("\n");
}

function toTable(path: string, name: string): string {
  const source = readFileSync(new URL(path, root), "utf8");
  const body = new RegExp(`export interface ${name}\\b[^{]*\\{\\n(.*?)\\n\\}`, "s").exec(source)?.[1];
  if (body === undefined) throw new Error(`${path} has no interface ${name}`);
  const rows = [...body.matchAll(/\/\*\*(.*?)\*\/\s*readonly (\w+)/gs)].map(([, doc = "", setting = ""]) => {
    const text = doc
      .replace(/\s*\n\s*\* ?/g, " ")
      .replace(/\s+/g, " ")
      .trim();
    const [meaning, value] = text.replace(/ Required\.$/, " Default: required").split(" Default: ");
    if (meaning === undefined || value === undefined)
      throw new Error(`${name}.${setting} lacks its meaning or default`);
    return `| \`${setting}\` | ${value.replace(/\.$/, "")} | ${meaning} |`;
  });
  return `| setting | default | |\n|---|---|---|\n${rows.join("\n")}\n`;
}

if (import.meta.main) writeFileSync(new URL("docs/settings.md", root), toSettingsReference());
