/**
 * Checks the size of each client, minified and gzipped: less than 7,000 bytes. Bundles the build as a front end's bundler would:
 * functions that a page doesn't import are left out. Also checks the size of all files that a page loads, gzipped: less than 90,000
 * bytes for the server's page with the demonstration, less than 150,000 bytes for the console.
 *
 * Usage: node scripts/client-size.ts
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const entries = [
  { name: "tokenpair/client", used: "createClient, ClientError", path: "../dist/client/index.js" },
  {
    name: "tokenpair/client/bearer",
    used: "createBearerClient, ClientError",
    path: "../dist/client/bearer/index.js",
  },
];
const limit = 7000;

for (const { name, used, path } of entries) {
  const { outputFiles } = await build({
    stdin: {
      contents: `export { ${used} } from "./${basename(path)}"`,
      resolveDir: fileURLToPath(new URL(".", new URL(path, import.meta.url))),
    },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  const size = gzipSync(outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length;
  console.log(`${name}: ${size} bytes minified and gzipped (limit: ${limit} bytes)`);
  if (size >= limit) process.exitCode = 1;
}

const pageLimit = 90_000;
const page = fileURLToPath(new URL("../dist/page/", import.meta.url));
const { metafile } = await build({
  entryPoints: [`${page}main.js`],
  absWorkingDir: page,
  bundle: true,
  splitting: true,
  format: "esm",
  outdir: "unused",
  write: false,
  metafile: true,
});
const others = readdirSync(page).filter((name) => /\.(css|html|svg)$/.test(name));
const pageSize = [...Object.keys(metafile.inputs), ...others]
  .map((name) => gzipSync(readFileSync(new URL(name, `file://${page}`)), { level: 9 }).length)
  .reduce((sum, size) => sum + size, 0);
console.log(`the page: ${pageSize} bytes gzipped (limit: ${pageLimit} bytes)`);
if (pageSize >= pageLimit) process.exitCode = 1;

const consoleLimit = 150_000;
const assets = new URL("../dist/console/assets/", import.meta.url);
const sizes = readdirSync(assets)
  .filter((name) => name.endsWith(".gz"))
  .map((name) => statSync(new URL(name, assets)).size);
const consoleSize = sizes.reduce((sum, size) => sum + size, 0);
console.log(`the console: ${consoleSize} bytes gzipped (limit: ${consoleLimit} bytes)`);
if (consoleSize === 0 || consoleSize >= consoleLimit) process.exitCode = 1;
