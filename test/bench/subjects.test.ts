import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { subjects } from "../../bench/subjects.ts";

const bench = join(import.meta.dirname, "../../bench");

describe("the list of what is measured", () => {
  it("names each subject once", () => {
    expect(new Set(subjects.map(({ name }) => name)).size).toBe(subjects.length);
  });

  it.each(subjects)("has a file that measures $name", ({ name }) => {
    const file = join(bench, `${name}.ts`);
    expect(existsSync(file) && readFileSync(file, "utf8")).toMatch(/^export async function run\(/m);
  });
});
