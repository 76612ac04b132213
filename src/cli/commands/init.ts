import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { createKeyFile } from "../../server/config/key-file.ts";
import { print } from "../command.ts";
import type { Context } from "../context.ts";
import { type Choices, choose, databases, frameworks, frontEnds } from "../init/choices.ts";
import { keyFile, type Plan, toPlan } from "../init/plan.ts";
import { completeManifest, detectFramework, type Project, readProject } from "../init/project.ts";
import { addLines, type Written, writeNew } from "../init/write.ts";

interface InitOptions extends Partial<Choices> {
  readonly yes?: true;
  readonly json?: true;
}

/** Adds the command `init`. */
export function addInit(program: Command, context: Context): void {
  program
    .command("init")
    .description("Write the configuration, a signing key and the code of a new server into this folder.")
    .addOption(new Option("--framework <name>", "Framework of your server.").choices(frameworks))
    .addOption(new Option("--database <name>", "Database.").choices(databases))
    .addOption(new Option("--front-end <name>", "Where the front end keeps its tokens.").choices(frontEnds))
    .option("--yes", "Don't ask. Use the framework in package.json (or Express), SQLite and cookies.")
    .option("--json", "Print JSON.")
    .action((options: InitOptions) => init(context, options));
}

async function init(context: Context, options: InitOptions): Promise<void> {
  const project = readProject(context.directory);
  const choices = await choose(context, options, detectFramework(project));
  const plan = toPlan(choices, project);
  // Throws before anything is written.
  const manifest = completeManifest(project, choices, plan.scripts);
  const written = [...writeManifest(project, manifest), ...writePlan(project, plan)];
  const next = toNextSteps(choices, plan);
  await print(context, options, {
    lines: [...written.map(toLine), ...toHints(choices, written), "", "Next:", ...next.map((step) => `  ${step}`)],
    json: { ...choices, files: written, next },
  });
}

function writeManifest({ directory, manifest }: Project, text: string | null): readonly Written[] {
  const path = "package.json";
  if (text === null) return [{ path, result: "unchanged" }];
  writeFileSync(join(directory, path), text);
  return [{ path, result: manifest === null ? "created" : "completed" }];
}

function writePlan({ directory }: Project, { files, variables, ignored }: Plan): readonly Written[] {
  const hadKey = existsSync(join(directory, keyFile));
  // First, so that git never sees the key.
  const ignoring = addLines(directory, ".gitignore", ignored, isIgnored);
  createKeyFile(join(directory, keyFile));
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return [
    ignoring,
    { path: keyFile, result: hadKey ? "unchanged" : "created" },
    addLines(directory, ".env", lines, hasVariable, 0o600),
    ...files.map(([path, content]) => writeNew(directory, path, content)),
  ];
}

/** Returns whether a .gitignore has the line, or for a folder or `.env` a usual other form of it. */
function isIgnored(text: string, line: string): boolean {
  const name = line.replace(/\/$/, "");
  const forms = [name, `/${name}`, `${name}/`, `/${name}/`, `${name}*`];
  return text.split(/\r?\n/).some((given) => forms.includes(given.trim()));
}

function hasVariable(text: string, line: string): boolean {
  const [name = ""] = line.split("=");
  return new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`, "m").test(text);
}

function toLine({ path, result }: Written): string {
  const labels = { created: "Created", completed: "Completed", unchanged: "Unchanged", kept: "Kept" };
  const secret =
    result === "created" && (path === keyFile || path === ".env") ? " (mode 0600: only you can read it)" : "";
  return `${labels[result].padEnd(10)}${path}${result === "kept" ? " (it exists, so it was not changed)" : secret}`;
}

/** Returns what to do about files that were kept. */
function toHints({ framework }: Choices, written: readonly Written[]): readonly string[] {
  const kept = written.filter(({ result }) => result === "kept").map(({ path }) => path);
  if (kept.length === 0) return [];
  const page = { nest: "docs/nest.md", next: "docs/next.md" }[framework as string] ?? `examples/${framework}.ts`;
  return ["", `Compare ${kept.join(", ")} with node_modules/tokenpair/${page}.`];
}

function toNextSteps({ framework, database }: Choices, { install }: Plan): readonly string[] {
  return [
    ...(install === "" ? [] : [install]),
    ...(database === "postgres" ? ["Set TOKENPAIR_DATABASE_URL in .env to your database."] : []),
    "npx tokenpair migrate",
    "npx tokenpair users create alice",
    "npm run dev",
    framework === "next"
      ? "Open http://localhost:3000/account and log in."
      : "curl -s localhost:3000/api/token/ -d username=alice --data-urlencode 'password=…'",
  ];
}
