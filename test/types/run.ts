/**
 * Compiles the declarations of every entry, as an application does that checks its libraries too: with each TypeScript from 5.4 on, and
 * under each way to resolve modules. Installs the compilers from the lock file beside it.
 *
 * Usage: node test/types/run.ts [--smoke], after `npm run build`. With `--smoke`, only the oldest and the newest compiler; if they
 * can't be installed, it passes. Faults in the declarations of other packages, which some compilers find, are named and don't count.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const isSmoke = process.argv.includes("--smoke");
const root = resolve(import.meta.dirname, "../..");
const folder = import.meta.dirname;
const modules = join(folder, "node_modules");

const resolutions = { nodenext: "nodenext", node16: "node16", bundler: "esnext" } as const;

/** The programs: a server's has Node and no DOM, a page's has the DOM and no Node. */
const programs = {
  server: { files: ["server.ts"], lib: ["es2023", "esnext.disposable"], types: ["node"] },
  page: { files: ["page.ts"], lib: ["es2022", "dom", "dom.iterable"], types: [] },
};

function run(command: string, args: readonly string[]): { readonly isGood: boolean; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: "utf8" });
  return { isGood: status === 0, output: `${stdout}${stderr}` };
}

/** Puts the package where an application has it: as a folder of its own, not as a link into this repository. */
function installPackage(): void {
  const target = join(modules, "tokenpair");
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target);
  cpSync(join(root, "package.json"), join(target, "package.json"));
  cpSync(join(root, "dist"), join(target, "dist"), { recursive: true });
}

/** The faults that one compilation finds, by where they are. */
interface Faults {
  /** Those in our declarations, and in the programs that use them. */
  readonly own: readonly string[];
  /** The packages that have faults in their own declarations. */
  readonly packages: readonly string[];
}

function compile(compiler: string, resolution: keyof typeof resolutions, program: keyof typeof programs): Faults {
  const { files, ...options } = programs[program];
  const path = join(folder, `tsconfig.${program}.json`);
  const compilerOptions = {
    ...options,
    target: "es2022",
    module: resolutions[resolution],
    moduleResolution: resolution,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
  };
  writeFileSync(path, JSON.stringify({ compilerOptions, files }));
  const tsc = join(modules, compiler, "bin/tsc");
  const { isGood, output } = run(process.execPath, [tsc, "-p", path, "--pretty", "false"]);
  rmSync(path);
  if (isGood) return { own: [], packages: [] };
  const lines = output.split("\n").filter((line) => /error TS\d+/.test(line));
  const toPackage = (line: string) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(line)?.[1] ?? "tokenpair";
  const own = lines.length === 0 ? [output] : lines.filter((line) => toPackage(line) === "tokenpair");
  return { own, packages: [...new Set(lines.map(toPackage))].filter((name) => name !== "tokenpair") };
}

function toVerdict({ own, packages }: Faults): string {
  if (own.length > 0) return `fails\n${own.join("\n")}`;
  return packages.length === 0 ? "compiles" : `compiles, except declarations of ${packages.join(", ")}`;
}

const install = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--fetch-retries=1"];
const { isGood, output } = run("npm", install);
if (isGood) {
  installPackage();
  const all = readdirSync(modules).filter((name) => name.startsWith("typescript-"));
  const compilers = isSmoke ? all.filter((_, index) => index === 0 || index === all.length - 1) : all;
  for (const compiler of compilers) {
    const { version } = JSON.parse(readFileSync(join(modules, compiler, "package.json"), "utf8"));
    for (const resolution of Object.keys(resolutions) as (keyof typeof resolutions)[]) {
      for (const program of Object.keys(programs) as (keyof typeof programs)[]) {
        const faults = compile(compiler, resolution, program);
        if (faults.own.length > 0) process.exitCode = 1;
        console.log(`types: TypeScript ${version}, ${resolution}, ${program}: ${toVerdict(faults)}`);
      }
    }
  }
} else {
  console.log(`types: skipped, because the compilers can't be installed\n${output}`);
  if (!isSmoke) process.exitCode = 1;
}
