import { existsSync, readFileSync } from "node:fs";
import type { TestContext } from "vitest";

const folder = new URL("../../../shared/vectors//", import.meta.url);

/** Returns the JSON of one file of published test vectors. Skips the test if they are not beside the repository. */
export function readVectors<T>(path: string, context: TestContext): T {
  const file = new URL(path, folder);
  context.skip(!existsSync(file), `the test vectors ../shared/vectors/${path} are missing`);
  return JSON.parse(readFileSync(file, "utf8"));
}
