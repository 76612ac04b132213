/**
 * Builds the console into dist/console: one document, and files with hashed names that are compressed ahead of time.
 *
 * Usage: node scripts/build-console.ts
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";

const source = join(import.meta.dirname, "../src/console");
const target = join(import.meta.dirname, "../dist/console");

await build({
  configFile: false,
  root: source,
  base: "./",
  mode: "production",
  logLevel: "warn",
  build: {
    outDir: target,
    emptyOutDir: true,
    target: "es2023",
    modulePreload: { polyfill: false },
    // A data URL would break the content security policy.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      // React's directives say nothing to a page that runs only in the browser.
      onLog: (level, log, defaultHandler) => log.code === "MODULE_LEVEL_DIRECTIVE" || defaultHandler(level, log),
    },
  },
});

// The server knows the path of the console, and writes it into the document.
const index = join(target, "index.html");
writeFileSync(index, readFileSync(index, "utf8").replaceAll('"./assets/', '"{{basePath}}/assets/'));

const assets = join(target, "assets");
for (const name of readdirSync(assets)) {
  const path = join(assets, name);
  const content = readFileSync(path);
  writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
  writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
}
