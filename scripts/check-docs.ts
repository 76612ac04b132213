/**
 * Compiles every ```ts and ```tsx block of the README and of docs/, and every example of a docstring, each as a module of its own,
 * against the built package.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { toExampleModules } from "./docstring-examples.ts";

const root = join(import.meta.dirname, "..");
const folder = join(root, ".docs-check");
const applications = join(folder, "applications");
rmSync(folder, { recursive: true, force: true });
mkdirSync(applications, { recursive: true });

const options = {
  strict: true,
  noEmit: true,
  target: "es2023",
  lib: ["es2023", "dom"],
  module: "nodenext",
  jsx: "react-jsx",
  types: ["node"],
  // For the decorators of Nest.
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  skipLibCheck: true,
};

const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).map((name) => join("docs", name));
const pages = ["README.md", "SECURITY.md", ...docs].filter((name) => name.endsWith(".md"));
let count = 0;
for (const page of pages) {
  const blocks = readFileSync(join(root, page), "utf8").matchAll(/^```(tsx?)\n(.*?)^```$/gms);
  for (const [, extension, block = ""] of blocks) {
    count++;
    const [, path] = /^\/\/ (\S+\.tsx?)\n/.exec(block) ?? [];
    if (path !== undefined) writeFileOfApplication(page, path, block);
    else writeFileSync(join(folder, `${page.replaceAll(/\W/g, "-")}-${count}.${extension}`), `${block}\nexport {};\n`);
  }
}

/** Writes a block that begins with its path, such as `// lib/auth.ts`: the blocks of a page make one application, whose root is `@/`. */
function writeFileOfApplication(page: string, path: string, block: string): void {
  const application = join(applications, page.replaceAll(/\W/g, "-"));
  mkdirSync(dirname(join(application, path)), { recursive: true });
  writeFileSync(join(application, path), block);
  writeConfiguration(application, {
    ...options,
    lib: ["es2023", "dom", "dom.iterable"],
    module: "esnext",
    moduleResolution: "bundler",
    allowImportingTsExtensions: true,
    paths: { "@/*": ["./*"] },
  });
}

function writeConfiguration(path: string, compilerOptions: object): void {
  writeFileSync(join(path, "tsconfig.json"), JSON.stringify({ compilerOptions, exclude: ["applications"] }));
}

const examples = toExampleModules();
for (const [index, { text, hasElements }] of examples.entries()) {
  writeFileSync(join(folder, `example-${index + 1}.${hasElements ? "tsx" : "ts"}`), text);
}
// Packages that pages import and that aren't installed here.
writeFileSync(join(folder, "packages.d.ts"), 'declare module "@nestjs/testing";\n');
writeConfiguration(folder, options);
const checked = [folder, ...readdirSync(applications).map((name) => join(applications, name))];
for (const path of checked) execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", path], { stdio: "inherit" });
console.log(`${count} code blocks of the documentation and ${examples.length} examples of docstrings compile`);
