import { readFileSync, writeFileSync } from "node:fs";

const root = new URL("../../", import.meta.url);

/** Writes vectors to a file, or compares them with it: `--check` in the command line. */
export function writeVectors(path: string, vectors: Readonly<Record<string, unknown>>): void {
  const text = `${JSON.stringify(vectors, null, 2)}\n`;
  const count = Object.values(vectors).reduce((sum: number, list) => sum + (Array.isArray(list) ? list.length : 0), 0);
  if (!process.argv.includes("--check")) writeFileSync(new URL(path, root), text);
  else if (readFileSync(new URL(path, root), "utf8") !== text) {
    console.error(`${path} is not what its script writes: run "npm run vectors"`);
    process.exitCode = 1;
    return;
  }
  console.log(`${path}: ${count} vectors`);
}
