/** Writes docs/settings.md from the docstrings of the settings. Run by `npm run docs`. */
import { readFileSync, writeFileSync } from "node:fs";

const root = new URL("../../", import.meta.url);

const preamble = `# Settings

Generated from the docstrings in \`src/\` by \`npm run docs\`.

\`createAuth({ store, signingKey, … })\` takes the settings in the first section. \`tokenpair serve\` takes these too, except for
functions, and those in the second section. It reads settings from four places, each of which overrides the one before:

1. the defaults,
2. \`tokenpair.config.js\` (or \`.mjs\`, \`.ts\`, \`.json\`) in the working directory,
3. the environment: \`TOKENPAIR_\` and the setting's name in upper snake case, such as
   \`TOKENPAIR_ACCESS_TOKEN_LIFETIME=900\`,
4. flags.

An unknown setting stops startup and suggests the closest name. Variables that Kubernetes sets for a Service called
\`tokenpair…\`, such as \`TOKENPAIR_PORT=tcp://10.96.0.17:80\`, are ignored. Durations are whole seconds. In code,
you can write them as \`minutes(15)\` or \`days(30)\`. Only store options are in milliseconds, as in \`pg\` and \`node:sqlite\`.
`;

/** The groups of \`createAuth\`'s settings: heading, file in \`src/core/settings/\`, interface. */
const groups = [
  ["Sessions", "session-settings", "SessionSettings"],
  ["Tokens", "session-settings", "TokenSettings"],
  ["Migration from simplejwt", "legacy-settings", "LegacySettings"],
  ["Revocation", "session-settings", "RevocationSettings"],
  ["HTTP", "http-settings", "HttpSettings"],
  ["Cookies", "http-settings", "CookieSettings"],
  ["Users", "user-settings", "UserSettings"],
  ["Login hooks", "user-settings", "LoginHookSettings"],
  ["Passwords", "user-settings", "PasswordSettings"],
  ["Throttling", "http-settings", "ThrottleSettings"],
  ["Audit log", "audit-settings", "AuditSettings"],
  ["Webhook", "audit-settings", "WebhookSettings"],
] as const;

/** Returns the whole page. */
export function toSettingsReference(): string {
  const postgresOptions = "src/store/postgres/connection/options.ts";
  return [
    preamble,
    "## `createAuth`\n",
    ...groups.flatMap(([heading, file, name]) => [
      `### ${heading}\n`,
      `${readDocstring(`src/core/settings/${file}.ts`, name)}\n`,
      toTable(`src/core/settings/${file}.ts`, name),
    ]),
    "## `tokenpair serve`\n",
    toTable("src/server/config/server-settings.ts", "ServerSettings"),
    "## `createAuth`, only in code\n",
    toTable("src/auth-options.ts", "AuthOptions"),
    "## `sqliteStore`\n",
    "`sqliteStore(path)` or `sqliteStore({ path, … })`. Times are in milliseconds.\n",
    toTable("src/store/sqlite/index.ts", "SqliteStoreOptions"),
    "## `postgresStore`\n",
    "`postgresStore(connectionString)` or `postgresStore({ … })`. Times are in milliseconds. For a pool that the store opens:\n",
    toTable(postgresOptions, "PostgresConnectionOptions"),
    "For a pool that you open and close:\n",
    toTable(postgresOptions, "PostgresPoolOptions"),
    "For both:\n",
    toTable(postgresOptions, "PostgresBehaviour"),
  ].join("\n");
}

function toTable(path: string, name: string): string {
  const body = new RegExp(`export interface ${name}\\b[^{]*\\{\\n(.*?)\\n\\}`, "s").exec(read(path))?.[1];
  if (body === undefined) throw new Error(`${path} has no interface ${name}`);
  const rows = [...body.matchAll(/\/\*\*(.*?)\*\/\s*readonly (\w+)/gs)].map(([, doc = "", setting = ""]) => {
    const [meaning, value] = toLine(doc)
      .replace(/ Required\.$/, " Default: required")
      .split(" Default: ");
    if (meaning === undefined || value === undefined)
      throw new Error(`${name}.${setting} lacks its meaning or default`);
    return `| \`${setting}\` | ${value.replace(/\.$/, "")} | ${meaning} |`;
  });
  return `| setting | default | |\n|---|---|---|\n${rows.join("\n")}\n`;
}

function readDocstring(path: string, name: string): string {
  const doc = new RegExp(`/\\*\\*((?:(?!\\*/).)*)\\*/\\nexport interface ${name}\\b`, "s").exec(read(path))?.[1];
  if (doc === undefined) throw new Error(`${name} has no docstring`);
  return toLine(doc);
}

function read(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

function toLine(docstring: string): string {
  return docstring
    .replace(/\s*\n\s*\* ?/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}

if (import.meta.main) writeFileSync(new URL("docs/settings.md", root), toSettingsReference());
