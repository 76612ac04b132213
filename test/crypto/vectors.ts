import { existsSync, readFileSync } from "node:fs";
import type { TestContext } from "vitest";

const folder = new URL("../../../shared/vectors//", import.meta.url);

/** The JSON of one file of published test vectors; the test skips where they are not beside the repository. */
export function readVectors<T>(path: string, context: TestContext): T {
  const file = new URL(path, folder);
  context.skip(!existsSync(file), `the test vectors ../shared/vectors/${path} are not here`);
  return JSON.parse(readFileSync(file, "utf8"));
}
