/**
 * Names every failure, and then prints "N passed, N failed": the tests of vitest's JSON report, and the other steps that
 * failed. A long log may be cut off at its beginning, so its end has to say what failed.
 *
 * Usage: node scripts/count-tests.ts REPORT (passed | failed) [FAILED_STEP ...]
 *
 * The second argument says how the run of the tests ended: without a failed test, it fails for an error outside of the tests,
 * which the report doesn't have. This counts as one failure. So does a file whose tests could not run, and a missing or empty
 * report.
 */
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { stripVTControlCharacters } from "node:util";

interface Report {
  readonly numPassedTests: number;
  readonly testResults: readonly FileResult[];
}

interface FileResult {
  readonly name: string;
  readonly status: string;
  /** Why the file could not be run, or `""`. */
  readonly message?: string;
  readonly assertionResults: readonly TestResult[];
}

interface TestResult {
  readonly fullName: string;
  readonly status: string;
  readonly failureMessages?: readonly string[];
}

const linesOfMessage = 12;
const [path = "", outcome, ...failedSteps] = process.argv.slice(2);
const report = readReport();
const failures = [...toTestFailures(report), ...failedSteps.map((step) => `failed: ${step}`)];

for (const failure of failures) console.log(failure);
console.log(`${report?.numPassedTests ?? 0} passed, ${failures.length} failed`);
if (failures.length > 0) process.exitCode = 1;

function readReport(): Report | null {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return null;
  }
}

function toTestFailures(tests: Report | null): readonly string[] {
  if (tests === null) return ["failed: the tests did not run, or wrote no report"];
  const found = tests.testResults.flatMap(toFailures);
  return outcome === "passed" || found.length > 0 ? found : ["failed: the run of the tests, although no test failed"];
}

function toFailures({ name, status, message, assertionResults }: FileResult): readonly string[] {
  const file = relative(process.cwd(), name);
  const failed = assertionResults.filter((test) => test.status === "failed");
  if (failed.length > 0)
    return failed.map((test) => `failed: ${file}: ${test.fullName}${toLines(test.failureMessages?.[0])}`);
  return status === "failed" ? [`failed: ${file}${toLines(message)}`] : [];
}

/** Returns the beginning of a message, which may be pages long, indented below the name of its test. */
function toLines(message = ""): string {
  if (message === "") return "";
  const lines = stripVTControlCharacters(message).split("\n").slice(0, linesOfMessage);
  return lines.map((line) => `\n  ${line}`.trimEnd()).join("");
}
