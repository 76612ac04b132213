/**
 * Prints "N passed, N failed": the tests of vitest's JSON report, and how many other steps failed.
 *
 * Usage: node scripts/count-tests.ts REPORT [FAILED_STEPS]
 *
 * A missing or empty report counts as one failure, because then the tests did not run.
 */
import { readFileSync } from "node:fs";

const [path = "", failedSteps = "0"] = process.argv.slice(2);
const report = readReport();
const failed = report.numFailedTests + Number(failedSteps);
console.log(`${report.numPassedTests} passed, ${failed} failed`);
if (failed > 0) process.exitCode = 1;

function readReport(): { readonly numPassedTests: number; readonly numFailedTests: number } {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return { numPassedTests: 0, numFailedTests: 1 };
  }
}
