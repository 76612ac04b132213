/**
 * Checks that each entry of the client is under 7 kB (7,000 bytes), minified and gzipped. Bundles the build as a front
 * end's bundler would.
 *
 * Usage: node scripts/client-size.ts
 */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const limit = 7000;

const entries = {
  "tokenpair/client": "../dist/client/index.js",
  "tokenpair/client/bearer": "../dist/client/bearer/index.js",
};

for (const [name, path] of Object.entries(entries)) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(path, import.meta.url))],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  const size = gzipSync(outputFiles[0]?.contents ?? new Uint8Array(), { level: 9 }).length;
  console.log(`${name}: ${size} bytes minified and gzipped (limit: 7 kB, ${limit} bytes)`);
  if (size >= limit) process.exitCode = 1;
}
