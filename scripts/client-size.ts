/**
 * Fails where `tokenpair/client` is over its budget. Bundles what was built, as a front end's build would.
 *
 * Usage: node scripts/client-size.ts
 */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const limit = 6144;

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL("../dist/client/index.js", import.meta.url))],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  write: false,
});
const size = gzipSync(outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length;
console.log(`tokenpair/client: ${size} bytes minified and gzipped (limit ${limit})`);
if (size > limit) process.exitCode = 1;
