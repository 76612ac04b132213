import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mutants } from "../../scripts/mutants/all.ts";
import { applyMutant, type Mutant } from "../../scripts/mutants/mutant.ts";
import { runMutants } from "../../scripts/mutants/run.ts";

const root = resolve(import.meta.dirname, "../..");

describe("a mutant", () => {
  it("replaces its text", () => {
    expect(applyMutant("a + b", { find: "+", replace: "-" })).toBe("a - b");
  });

  it("does not apply to a source that lacks its text, or has it twice", () => {
    expect(applyMutant("a + b", { find: "*", replace: "-" })).toBeNull();
    expect(applyMutant("a + b + c", { find: "+", replace: "-" })).toBeNull();
  });
});

describe("the lists of mutants", () => {
  it.each(mutants)("apply to the source: $name", ({ file, find, replace, tests }) => {
    expect(applyMutant(readFileSync(join(root, file), "utf8"), { find, replace })).not.toBeNull();
    expect(tests.filter((test) => !existsSync(join(root, test)))).toEqual([]);
    expect(tests).not.toEqual([]);
  });

  it("give each mutant a name of its own", () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });
});

describe("a run of mutants", () => {
  const tests = ["test/add.test.ts"];
  const add: Mutant = { name: "adds wrongly", file: "src/add.ts", find: "a + b", replace: "a - b", tests };
  let project: string;

  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), "tokenpair-project-"));
    const files = {
      ".gitignore": "node_modules",
      "package.json": '{ "type": "module" }',
      "tsconfig.base.json":
        '{ "compilerOptions": { "composite": true, "strict": true, "noUnusedLocals": true, "allowUnreachableCode": false } }',
      "src/tsconfig.json": '{ "extends": "../tsconfig.base.json", "compilerOptions": { "outDir": "../dist" } }',
      "src/add.ts":
        'const unit = "s";\nexport const add = (a: number, b: number): number => a + b;\n' +
        "export const print = (a: number): string => String(a).concat(unit);\n" +
        'export function half(a: number): number {\n  if (a % 2 === 1) throw new Error("odd");\n  return a / 2;\n}\n',
      "test/add.test.ts":
        'import { expect, it } from "vitest";\nimport { add } from "../src/add.ts";\n' +
        'it("adds", () => expect(add(2, 3)).toBe(5));\n',
      "test/broken.test.ts": 'import { expect, it } from "vitest";\nit("is broken", () => expect(1).toBe(2));\n',
    };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(project, path)), { recursive: true });
      writeFileSync(join(project, path), text);
    }
    symlinkSync(join(root, "node_modules"), join(project, "node_modules"));
    execFileSync("git", ["init", "--quiet"], { cwd: project });
  });
  afterAll(() => rmSync(project, { recursive: true }));

  function fatesOf(...tried: readonly Mutant[]): string[] {
    const reported: string[] = [];
    runMutants(project, tried, ({ fate, detail }) => reported.push(`${fate}: ${detail}`));
    return reported;
  }

  it("tells apart the killed, the surviving, the stale and the wrong, and leaves the source alone", () => {
    const before = readFileSync(join(project, "src/add.ts"), "utf8");
    const fates = fatesOf(
      add,
      { ...add, find: ".concat(unit)", replace: "" },
      { ...add, find: "a % 2 === 1", replace: "false" },
      { ...add, find: "a * b" },
      { ...add, replace: "a + c" },
      { ...add, tests: ["test/broken.test.ts"] },
      { ...add, tests: ["test/gone.test.ts"] },
    );
    expect(fates).toEqual([
      "killed: adds",
      "survived: test/add.test.ts",
      "survived: test/add.test.ts",
      "does not apply: src/add.ts does not have this text exactly once",
      expect.stringMatching(/^does not compile: src\/add\.ts.*'c'/),
      "tests fail without it: test/broken.test.ts",
      "tests fail without it: test/gone.test.ts",
    ]);
    expect(readFileSync(join(project, "src/add.ts"), "utf8")).toBe(before);
  });
});
