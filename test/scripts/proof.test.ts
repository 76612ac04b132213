import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { execute, toDuration } from "../../scripts/proof/execute.ts";
import { type ProofRecord, recordProof } from "../../scripts/proof/record.ts";
import { proofRuns } from "../../scripts/proof/runs.ts";

const root = resolve(import.meta.dirname, "../..");
const page = readFileSync(resolve(root, "docs/correctness.md"), "utf8");
const model: ProofRecord = {
  name: "model",
  date: "2026-11-30",
  commit: "abc1234",
  result: ["passed in 3 min", "5 states"],
};
const rowsOf = (text: string) => text.split("\n").filter((line) => /^\| (?:model|fuzz) \| 20/.test(line));

describe("the record of a long run", () => {
  it("is a row of the table in docs/correctness.md", () => {
    const recorded = recordProof(page, model);
    expect(rowsOf(recorded)).toContain("| model | 2026-11-30 | abc1234 | passed in 3 min<br>5 states |");
    expect(recorded.split("\n").length).toBeGreaterThanOrEqual(page.split("\n").length);
  });

  it("takes the place of the run's earlier record, and leaves those of other runs", () => {
    const first = recordProof(recordProof(page, model), { ...model, name: "fuzz", result: ["passed in 16 min"] });
    const second = recordProof(first, { ...model, commit: "def5678", result: ["failed in 2 s"] });
    expect(rowsOf(second)).toEqual([
      "| fuzz | 2026-11-30 | abc1234 | passed in 16 min |",
      "| model | 2026-11-30 | def5678 | failed in 2 s |",
    ]);
  });

  it("folds away more than two figures", () => {
    const recorded = recordProof(page, { ...model, result: ["passed in 3 min", "a | b", "5 states", "6 states"] });
    expect(rowsOf(recorded)).toContain(
      "| model | 2026-11-30 | abc1234 | passed in 3 min<details><summary>3 lines</summary>a \\| b<br>5 states<br>6 states</details> |",
    );
  });

  it("has a row in docs/correctness.md for every run, and a description", () => {
    const first = [...page.matchAll(/^\| ([a-z-]+) \|/gm)].map(([, name]) => name);
    const described = (name: string) =>
      page.includes(`\`npm run proof -- ${name}\``) || first.indexOf(name) < first.lastIndexOf(name);
    expect(proofRuns.filter(({ name }) => !first.includes(name)).map(({ name }) => name)).toEqual([]);
    expect(proofRuns.filter(({ name }) => !described(name)).map(({ name }) => name)).toEqual([]);
  });

  it("changes nothing outside of the table", () => {
    const outside = (text: string) => text.replace(/<!-- proof:.*<!-- \/proof -->/s, "");
    expect(outside(recordProof(page, model))).toBe(outside(page));
  });

  it("needs the two comments around the table", () => {
    expect(() => recordProof("# Correctness\n", model)).toThrow("the page needs <!-- proof:");
  });
});

describe("a long run", () => {
  const printer = (text: string) => ["node", "--eval", text] as const;
  const toFigures = (lines: readonly string[]) => lines.filter((line) => line.startsWith("tried"));
  const script = `console.log("\\u001b[32mtried\\u001b[0m 5 of " + process.env.SIZE); console.error("a warning");`;

  it("prints its output, and finds its figures without their colours", async () => {
    const printed: string[] = [];
    const run = { command: printer(script), env: { SIZE: "9" }, toFigures };
    const { isPassed, figures, seconds } = await execute(root, run, (line) => printed.push(line));
    expect([isPassed, figures]).toEqual([true, ["tried 5 of 9"]]);
    expect(printed.sort()).toEqual(["\u001b[32mtried\u001b[0m 5 of 9", "a warning"]);
    expect(seconds).toBeGreaterThan(0);
  });

  it("fails if its command fails, or if it has tried nothing", async () => {
    const failing = { command: printer(`${script} process.exit(3);`), toFigures };
    expect((await execute(root, failing, () => {})).isPassed).toBe(false);
    expect((await execute(root, { command: printer("0"), toFigures }, () => {})).isPassed).toBe(false);
  });

  it("says how long it took in seconds, and from 100 seconds on in minutes", () => {
    expect([toDuration(0.4), toDuration(99), toDuration(150)]).toEqual(["0 s", "99 s", "3 min"]);
  });

  it.each([
    ["model", "model: reuse interval 0: 5 states, 9 transitions over 2 runs of the real flows, 0 violations"],
    ["chaos", "crashes over SQLite: 6 kills, 1948 lines of history"],
    ["browsers", "browsers: firefox: 33 passed, 0 failed, 0 skipped"],
    ["mutants", "mutants: 35 of 35 killed"],
  ])("of the name %s has its figures in its output", (name, line) => {
    const run = proofRuns.find((one) => one.name === name);
    expect(run?.toFigures(["a line", line])).toEqual([line.trim()]);
    expect(run?.toFigures(["a line"])).toEqual([]);
  });

  it("of the fuzzers sums up their inputs", () => {
    const fuzz = proofRuns.find(({ name }) => name === "fuzz");
    expect(fuzz?.toFigures(["fuzz: a token: 1,200 inputs", "fuzz: a JSON text: 34 inputs"])).toEqual([
      "2 parsers, 1,234 inputs",
    ]);
    expect(fuzz?.toFigures([])).toEqual([]);
  });

  it("of the model counts the breakages that it found", () => {
    const run = proofRuns.find(({ name }) => name === "model");
    const found = "model: no salt: 5 states, 9 transitions over 2 runs of the real flows, violates I1: two successors";
    expect(run?.toFigures([found, found])).toEqual(["2 deliberate breakages found"]);
  });
});

describe("node scripts/proof.ts", () => {
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [resolve(root, "scripts/proof.ts"), ...args]).catch((error) => error);

  it("lists the runs", async () => {
    const { stdout } = await run();
    expect(stdout.split("\n").filter(Boolean)).toHaveLength(proofRuns.length);
    expect((await run("--names")).stdout).toBe(proofRuns.map(({ name }) => `${name}\n`).join(""));
  });

  it("refuses a name that it does not have", async () => {
    const { code, stderr } = await run("entropy");
    expect(code).toBe(2);
    expect(stderr).toContain("the names: model, chaos,");
  });

  it("does not record a smoke run", async () => {
    expect((await run("fuzz", "--smoke", "--record")).code).toBe(2);
  });
});
