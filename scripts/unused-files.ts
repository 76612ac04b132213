/**
 * Writes `dist/.npmignore`, which keeps the files of `dist/` that nothing uses out of the package: modules that have only types,
 * and declarations that no entry names. They stay in `dist/`, because the compiler needs them for its next build.
 *
 * Usage: node scripts/unused-files.ts, as the last step of `npm run build`.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const specifiers = /\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g;

/**
 * Returns the modules and declarations in `dist/` that neither an entry of the package, nor its bin, nor a page leads to.
 *
 * @param root the folder of package.json.
 * @throws Error if a module names a file that doesn't exist.
 */
export function listUnusedFiles(root: string): readonly string[] {
  const { exports, bin }: { exports: Record<string, string>; bin: Record<string, string> } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  const entries = Object.values(exports).filter((path) => path.endsWith(".js"));
  const dist = join(root, "dist");
  // A bundler has made the console's files.
  const names = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter(
    (name) => /\.(?:js|d\.ts)$/.test(name) && !name.startsWith("console/"),
  );
  const used = new Set<string>();
  const starts = [
    ...entries,
    ...entries.map((path) => path.replace(/\.js$/, ".d.ts")),
    ...Object.values(bin),
    // The page's HTML loads it.
    "dist/page/main.js",
  ];
  for (const start of starts) follow(resolve(root, start), used);
  return names.filter((name) => !used.has(join(dist, name))).sort();
}

function follow(path: string, used: Set<string>): void {
  if (used.has(path)) return;
  used.add(path);
  for (const [, specifier = ""] of readFileSync(path, "utf8").matchAll(specifiers)) {
    const target = resolve(dirname(path), specifier);
    // In a declaration, the specifier names the module, whose declaration lies beside it.
    const file = path.endsWith(".d.ts") ? target.replace(/\.[jt]s$/, ".d.ts") : target;
    if (!existsSync(file)) throw new Error(`${relative("", path)} names ${specifier}, which doesn't exist`);
    follow(file, used);
  }
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, "..");
  const lines = listUnusedFiles(root).map((name) => `/${name}\n`);
  writeFileSync(join(root, "dist/.npmignore"), lines.join(""));
}
