/**
 * Compiles every ```ts and ```tsx block of the README and of docs/, and every example of a docstring, each as a module of its own,
 * against the built package.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toExampleModules } from "./docstring-examples.ts";

const root = join(import.meta.dirname, "..");
const folder = join(root, ".docs-check");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).map((name) => join("docs", name));
const pages = ["README.md", "SECURITY.md", ...docs].filter((name) => name.endsWith(".md"));
let count = 0;
for (const page of pages) {
  const blocks = readFileSync(join(root, page), "utf8").matchAll(/^```(tsx?)\n(.*?)^```$/gms);
  for (const [, extension, block = ""] of blocks) {
    count++;
    writeFileSync(join(folder, `${page.replaceAll(/\W/g, "-")}-${count}.${extension}`), `${block}\nexport {};\n`);
  }
}
const examples = toExampleModules();
for (const [index, { text, hasElements }] of examples.entries()) {
  writeFileSync(join(folder, `example-${index + 1}.${hasElements ? "tsx" : "ts"}`), text);
}
writeFileSync(
  join(folder, "tsconfig.json"),
  JSON.stringify({
    compilerOptions: {
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
    },
  }),
);
execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", folder], { stdio: "inherit" });
console.log(`${count} code blocks of the documentation and ${examples.length} examples of docstrings compile`);
