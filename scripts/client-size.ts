/**
 * Fails unless `tokenpair/client` is under 6 kB (6,000 bytes), minified and gzipped. Bundles what was built, as a front
 * end's build would.
 *
 * Usage: node scripts/client-size.ts
 */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const limit = 6000;

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL("../dist/client/index.js", import.meta.url))],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  write: false,
});
const size = gzipSync(outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length;
console.log(`tokenpair/client: ${size} bytes minified and gzipped (limit: 6 kB, ${limit} bytes)`);
if (size >= limit) process.exitCode = 1;
