import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../errors.ts";
import { type Choices, frameworks } from "./choices.ts";

/** The folder in which `init` runs. */
export interface Project {
  readonly directory: string;
  /** The content of package.json, or `null` if there is none. */
  readonly manifest: Manifest | null;
  /** Where the application's code is: "" or "src/". */
  readonly base: "" | "src/";
}

/** The part of a package.json that `init` reads and completes. */
export interface Manifest {
  readonly type?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const packageOf = { nest: "@nestjs/core", next: "next", express: "express", fastify: "fastify", hono: "hono" } as const;

/**
 * Reads what is known of the project.
 *
 * @throws CommandError if its package.json isn't a JSON object.
 */
export function readProject(directory: string): Project {
  return {
    directory,
    manifest: readManifest(join(directory, "package.json")),
    base: existsSync(join(directory, "src/app")) ? "src/" : "",
  };
}

function readManifest(path: string): Manifest | null {
  if (!existsSync(path)) return null;
  try {
    const manifest: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof manifest === "object" && manifest !== null && !Array.isArray(manifest)) return manifest;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new CommandError("package.json is not a JSON object; correct it, then run init again. Nothing was written");
}

/** Returns whether the project depends on a package. */
export function dependsOn({ manifest }: Project, name: string): boolean {
  return { ...manifest?.dependencies, ...manifest?.devDependencies }[name] !== undefined;
}

/** Returns the framework that the project already uses, if there is one. */
export function detectFramework(project: Project): Choices["framework"] | undefined {
  return (["nest", "next", ...frameworks] as const).find(
    (name) => name !== "node" && dependsOn(project, packageOf[name]),
  );
}

/**
 * Returns the package.json with what the code needs: the type "module", because the code uses `import`, and scripts that
 * don't exist yet.
 *
 * @returns the text to write, or `null` if nothing is missing.
 * @throws CommandError if the project's own code is CommonJS.
 */
export function completeManifest(
  { directory, manifest }: Project,
  { framework }: Pick<Choices, "framework">,
  scripts: Readonly<Record<string, string>>,
): string | null {
  const isCommon =
    manifest !== null && manifest.type !== "module" && (manifest.type !== undefined || hasScripts(directory));
  // Next compiles the code itself.
  const isModule = manifest?.type === "module" || (framework === "next" && isCommon);
  if (isCommon && framework !== "next") {
    throw new CommandError(
      'the code uses import, which needs "type": "module" in package.json. Your project is CommonJS: change it, or run init ' +
        "in a new folder. Nothing was written",
    );
  }
  const missing = Object.entries(scripts).filter(([name]) => manifest?.scripts?.[name] === undefined);
  if (manifest !== null && isModule && missing.length === 0) return null;
  const completed = {
    ...(manifest ?? { private: true }),
    ...(isModule ? {} : { type: "module" }),
    scripts: { ...manifest?.scripts, ...Object.fromEntries(missing) },
  };
  return `${JSON.stringify(completed, null, 2)}\n`;
}

/** Returns whether the folder has .js files, which may be CommonJS. */
function hasScripts(directory: string): boolean {
  return readdirSync(directory).some((name) => name.endsWith(".js"));
}
