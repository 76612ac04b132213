/** Writes docs/settings.md from the docstrings of the settings, which are the reference. Run by `npm run docs`. */
import { readFileSync, writeFileSync } from "node:fs";

const root = new URL("../", import.meta.url);
const preamble = `# Settings

Made from the docstrings in \`src/core/settings.ts\` and \`src/server/server-settings.ts\` by \`npm run docs\`.

\`createAuth({ store, signingKey, … })\` takes those of the first table. \`tokenpair serve\` takes both, from (in rising order)
their defaults, \`tokenpair.config.js\` (or .mjs, .ts, .json) in the working directory, the environment, and flags. The name
in the environment is \`TOKENPAIR_\` and the setting in upper snake case: \`TOKENPAIR_ACCESS_TOKEN_LIFETIME=900\`. Durations are
whole seconds everywhere; \`minutes(15)\` and \`days(30)\` write them. A name that is no setting refuses the start and is told the
nearest one.
`;

/** The page, whole. */
export function toSettingsReference(): string {
  return [
    preamble,
    "## Of `createAuth`\n",
    toTable("src/core/settings.ts", "Settings"),
    "## Of `tokenpair serve` alone\n",
    toTable("src/server/server-settings.ts", "ServerSettings"),
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
    const [meaning, value] = text.split(" Default: ");
    if (meaning === undefined || value === undefined)
      throw new Error(`${name}.${setting} lacks its meaning or default`);
    return `| \`${setting}\` | ${value.replace(/\.$/, "")} | ${meaning} |`;
  });
  return `| setting | default | |\n|---|---|---|\n${rows.join("\n")}\n`;
}

if (import.meta.main) writeFileSync(new URL("docs/settings.md", root), toSettingsReference());
