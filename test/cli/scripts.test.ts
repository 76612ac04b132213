import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runScript } from "./run-script.ts";

const scripts = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".script"));

describe("the command line", () => {
  it.each(scripts)("prints what %s expects", async (name) => {
    let steps = 0;
    await runScript(join(import.meta.dirname, name), (step, expected, actual) => {
      steps += 1;
      expect(actual, `${name}, line ${step.line}: ${step.command}`).toEqual(expected);
    });
    expect(steps).toBeGreaterThan(2);
  });
});
