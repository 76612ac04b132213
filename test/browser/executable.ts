import { existsSync, statSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { brotliDecompress } from "node:zlib";

const require = createRequire(import.meta.url);
const packed = join(dirname(require.resolve("@sparticuz/chromium")), "../bin/chromium.br");
const folder = resolve(import.meta.dirname, "../../node_modules/.cache/tokenpair");
let executable: Promise<string> | undefined;

/**
 * Returns the path of Chromium's executable. The package would unpack it in place, so a concurrent test could find an
 * incomplete file. This function writes it to a temporary name and then renames it. An update has another name.
 */
export function findChromium(): Promise<string> {
  executable ??= unpack();
  return executable;
}

async function unpack(): Promise<string> {
  const path = join(folder, `chromium-${statSync(packed).size}`);
  if (existsSync(path)) return path;
  await mkdir(folder, { recursive: true });
  const aside = `${path}-${process.pid}`;
  await writeFile(aside, await promisify(brotliDecompress)(await readFile(packed)), { mode: 0o700 });
  await rename(aside, path);
  return path;
}
