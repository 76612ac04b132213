import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { applyMutant, type Mutant } from "./mutant.ts";
import { copyTree, type Tree } from "./tree.ts";

/** How a mutant fared. Only "killed" is good. */
export type Fate =
  | "killed"
  | "survived"
  | "does not apply"
  | "does not compile"
  | "tests fail without it"
  | "run does not end";

/** The result for one mutant. */
export interface MutantResult {
  readonly mutant: Mutant;
  readonly fate: Fate;
  /** The test that failed, the compiler's first error, or the test file that failed before any change. */
  readonly detail: string;
  readonly seconds: number;
}

/** Milliseconds after which a test run is given up: a mutant may loop for ever. A busy machine needs much less. */
const timeout = 30 * 60_000;

/**
 * Tries each mutant in a copy of the tree at `root`: compiles its room and runs its tests. The working tree is not
 * touched. First runs all tests without any change, since a test that fails anyway proves nothing.
 *
 * @param onResult is called after each mutant.
 */
export function runMutants(
  root: string,
  mutants: readonly Mutant[],
  onResult: (result: MutantResult) => void,
): readonly MutantResult[] {
  const tree = copyTree(root);
  try {
    allowLeftovers(tree);
    build(tree);
    const failing = findFailingTests(tree, [...new Set(mutants.flatMap(({ tests }) => tests))]);
    return mutants.map((mutant) => {
      const since = performance.now();
      const [fate, detail] = tryMutant(tree, mutant, failing);
      const result = { mutant, fate, detail, seconds: (performance.now() - since) / 1_000 };
      onResult(result);
      return result;
    });
  } finally {
    tree.remove();
  }
}

function tryMutant(tree: Tree, mutant: Mutant, failing: ReadonlySet<string>): readonly [Fate, string] {
  const path = join(tree.root, mutant.file);
  const changed = existsSync(path) ? applyMutant(readFileSync(path, "utf8"), mutant) : null;
  if (changed === null) return ["does not apply", `${mutant.file} does not have this text exactly once`];
  const broken = mutant.tests.find((test) => failing.has(test));
  if (broken !== undefined) return ["tests fail without it", broken];
  return tree.withFile(mutant.file, changed, () => {
    const error = findCompileError(tree, mutant.file);
    if (error !== null) return ["does not compile", error];
    const { isPassed, isEnded, failures } = runTests(tree, mutant.tests, ["--bail=1"]);
    if (isPassed) return ["survived", mutant.tests.join(", ")];
    if (!isEnded) return ["run does not end", mutant.tests.join(", ")];
    // After the first failure, a test file that was still running fails as a whole.
    const failure = failures.find(({ file, test }) => test !== file) ?? failures[0];
    return ["killed", failure?.test ?? "the run"];
  });
}

/** Lets code compile that a mutant has left behind: variables without a use, and code that is never reached. */
function allowLeftovers({ root }: Tree): void {
  const path = join(root, "tsconfig.base.json");
  const text = readFileSync(path, "utf8");
  const allowed = text
    .replaceAll(/("noUnused\w+": )true/g, "$1false")
    .replace(/("allowUnreachableCode": )false/, "$1true");
  writeFileSync(path, allowed);
}

/** Some tests need the build, such as those of a server that answers with the page. */
function build({ root }: Tree): void {
  spawnSync("npm", ["run", "build", "--if-present"], { cwd: root, stdio: "ignore" });
}

/** Compiles the room of `file`, and the rooms that it imports from. */
function findCompileError({ root }: Tree, file: string): string | null {
  let room = dirname(file);
  while (!existsSync(join(root, room, "tsconfig.json"))) room = dirname(room);
  const { status, stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-b", room], {
    cwd: root,
    encoding: "utf8",
  });
  return status === 0 ? null : (stdout.split("\n", 1)[0] ?? "");
}

function findFailingTests(tree: Tree, tests: readonly string[]): ReadonlySet<string> {
  const missing = tests.filter((test) => !existsSync(join(tree.root, test)));
  const { isPassed, failures } = runTests(tree, tests, []);
  const failing = failures.map(({ file }) => file);
  // A run that fails as a whole, such as one that does not start, leaves nothing to rely on.
  return new Set(isPassed || failing.length > 0 ? [...missing, ...failing] : tests);
}

interface TestRun {
  readonly isPassed: boolean;
  /** False if the run was given up. */
  readonly isEnded: boolean;
  readonly failures: readonly { readonly file: string; readonly test: string }[];
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

function runTests({ root }: Tree, tests: readonly string[], options: readonly string[]): TestRun {
  const output = join(root, ".mutants-report.json");
  rmSync(output, { force: true });
  const { status, error } = spawnSync(
    join(root, "node_modules/.bin/vitest"),
    ["run", "--project=!over PostgreSQL", "--reporter=json", `--outputFile=${output}`, ...options, ...tests],
    { cwd: root, stdio: "ignore", timeout },
  );
  const report: Report = existsSync(output) ? JSON.parse(readFileSync(output, "utf8")) : { testResults: [] };
  const failures = report.testResults
    .filter((result) => result.status === "failed")
    .map(({ name, assertionResults }) => {
      const file = relative(root, name);
      return { file, test: assertionResults.find((one) => one.status === "failed")?.fullName ?? file };
    });
  return { isPassed: status === 0, isEnded: error === undefined, failures };
}
