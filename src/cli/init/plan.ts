import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Choices } from "./choices.ts";
import { dependsOn, type Project } from "./project.ts";

/** What `init` writes, and what it asks the user to do. */
export interface Plan {
  /** Paths and contents of new files. */
  readonly files: readonly (readonly [path: string, content: string])[];
  /** The lines of `.env`: names and values. */
  readonly variables: Readonly<Record<string, string>>;
  /** The lines of `.gitignore`. */
  readonly ignored: readonly string[];
  /** The scripts of package.json. */
  readonly scripts: Readonly<Record<string, string>>;
  /** The command that installs the packages. */
  readonly install: string;
}

/** Where the key is. With SQLite, the server would create it there itself. */
export const keyFile = "data/signing.key";

const examples = fileURLToPath(new URL("../../../examples", import.meta.url));
const example = (name: string) => readFileSync(join(examples, name), "utf8");

const packages = {
  express: ["express"],
  fastify: ["fastify"],
  hono: ["hono", "@hono/node-server"],
  node: [],
  nest: ["@nestjs/common", "@nestjs/core", "@nestjs/platform-express", "reflect-metadata", "rxjs"],
  next: ["next", "react", "react-dom"],
} as const satisfies Record<Choices["framework"], readonly string[]>;

const typePackages = {
  express: ["@types/express"],
  fastify: [],
  hono: [],
  node: [],
  nest: [],
  next: ["@types/react"],
} as const satisfies Record<Choices["framework"], readonly string[]>;

/** Returns what to write for these choices. The code is that of `examples/`, which the tests run. */
export function toPlan(choices: Choices, project: Project): Plan {
  const { framework, database, frontEnd } = choices;
  return {
    files: [["tokenpair.config.ts", example("init/tokenpair.config.ts")], ...toFiles(choices, project)],
    variables: {
      TOKENPAIR_DATABASE_URL:
        database === "sqlite" ? "sqlite:./data/tokenpair.db" : "postgres://postgres:postgres@localhost:5432/postgres",
      TOKENPAIR_SIGNING_KEY_FILE: keyFile,
      ...(framework === "next"
        ? { APP_ORIGIN: "http://localhost:3000" }
        : // Browsers then get cookies that work at http://localhost.
          frontEnd === "cookie"
          ? { NODE_ENV: "development" }
          : {}),
    },
    ignored: ["node_modules/", ".env", "data/", ...toBuildFolder(framework)],
    scripts: toScripts(framework),
    install: toInstall(choices, project),
  };
}

function toFiles({ framework, frontEnd }: Choices, { directory, base }: Project): Plan["files"] {
  if (framework !== "next") {
    return [
      framework === "nest" ? ["main.ts", example("init/nest.ts")] : ["server.ts", example(`${framework}.ts`)],
      ["client.ts", example(`init/${frontEnd}-client.ts`)],
      ["tsconfig.json", toJson({ compilerOptions: toCompilerOptions(framework), include: ["*.ts"] })],
    ];
  }
  const hasOwnConfig = globSync("next.config.*", { cwd: directory }).some((name) => name !== "next.config.mjs");
  const names = globSync("**/*.{ts,tsx,mjs}", { cwd: join(examples, "init/next") }).sort();
  const code = names
    .filter((name) => name !== "next.config.mjs" || !hasOwnConfig)
    .map((name) => [name === "next.config.mjs" ? name : `${base}${name}`, example(`init/next/${name}`)] as const)
    .map(
      ([name, text]) =>
        [name, base === "" ? text : text.replace("../tokenpair.config", "../../tokenpair.config")] as const,
    );
  const isTypeScript = existsSync(join(directory, "tsconfig.json"));
  const options = toCompilerOptions(framework);
  const include = ["**/*.ts", "**/*.tsx", ".next/types/**/*.ts"];
  return isTypeScript
    ? code
    : [...code, ["tsconfig.json", toJson({ compilerOptions: options, include, exclude: ["node_modules"] })]];
}

const toJson = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

function toCompilerOptions(framework: Choices["framework"]): object {
  const common = { target: "es2023", lib: ["es2023", "dom"], types: ["node"], strict: true, skipLibCheck: true };
  if (framework === "next") {
    const module = { module: "esnext", moduleResolution: "bundler", jsx: "react-jsx", isolatedModules: true };
    return { ...common, lib: [...common.lib, "dom.iterable"], ...module, esModuleInterop: true, noEmit: true };
  }
  if (framework === "nest") {
    const decorators = { experimentalDecorators: true, emitDecoratorMetadata: true };
    return { ...common, module: "nodenext", ...decorators, rootDir: ".", outDir: "dist" };
  }
  return { ...common, module: "nodenext", noEmit: true };
}

function toBuildFolder(framework: Choices["framework"]): readonly string[] {
  if (framework === "next") return [".next/"];
  return framework === "nest" ? ["dist/"] : [];
}

function toScripts(framework: Choices["framework"]): Readonly<Record<string, string>> {
  if (framework === "next") return { dev: "next dev", build: "next build", start: "next start" };
  // Node can't run decorators.
  if (framework === "nest") return { dev: "tsc && node dist/main.js", build: "tsc", start: "node dist/main.js" };
  return { dev: "node --watch server.ts", start: "node server.ts" };
}

function toInstall({ framework, database }: Choices, project: Project): string {
  const missing = (names: readonly string[]) => names.filter((name) => !dependsOn(project, name));
  const needed = missing(["tokenpair", ...packages[framework], ...(database === "postgres" ? ["pg"] : [])]);
  const forDevelopment = missing(["typescript", "@types/node", ...typePackages[framework]]);
  return [
    ...(needed.length === 0 ? [] : [`npm install ${needed.join(" ")}`]),
    ...(forDevelopment.length === 0 ? [] : [`npm install --save-dev ${forDevelopment.join(" ")}`]),
  ].join(" && ");
}
