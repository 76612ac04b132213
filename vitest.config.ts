import { existsSync, readFileSync, statfsSync } from "node:fs";
import { defineConfig } from "vitest/config";

const report = process.env["TOKENPAIR_TEST_REPORT"];

/**
 * Tests that start a server, a browser, PostgreSQL or other processes, that need the build, or that run for long. All others
 * are unit tests.
 */
const system = [
  "test/{adapters,browser,compatibility,deploy,console,django,examples,frameworks,fuzz,model,native,proxies,races,verifiers}/**/*.test.ts",
  "test/{examples,package}.test.ts",
  "test/cli/{backup,flushexpiredtokens,init,output,scripts,users-import}.test.ts",
  "test/auth/requests.test.ts",
  "test/events/webhook/webhook.test.ts",
  "test/scripts/{check-history,check-language,ci,loaded-files,mutants,proof}.test.ts",
  "test/server/{console,console-workers,feed-streams,pooler,postgres,process,serve,shutdown,workers}.test.ts",
  "test/server/sidecar/process.test.ts",
  "test/server/listen/*.test.ts",
  "test/server/handlers/page.test.ts",
  "test/store/postgres/*.test.ts",
  "test/store/sqlite/processes.test.ts",
  "test/verifier/{any-language,example-services}.test.ts",
];

/** Tests that only runs of `npm run proof` run, because all tests together would take too long. */
const onlyInProofs = [
  "test/browser/{demonstration,demonstration-buttons,rendered,rendered-settings,rendered-trouble,survival,trouble}.test.ts",
  "test/console/{account,confirm,hostile,journeys,keys,pages,parts,refusals,sessions,users,victim}.test.ts",
  "test/deploy/unprivileged.test.ts",
  "test/races/key-rotation.test.ts",
];
const hasLongTests = process.env["TOKENPAIR_LONG_TESTS"] === "true";

if (process.env["TMPDIR"] === undefined && isRoomyFolder("/dev/shm")) process.env["TMPDIR"] = "/dev/shm";

export default defineConfig({
  test: {
    pool: "forks",
    // The files share processes, because the source has no state of its own to share: it takes half of the time.
    isolate: false,
    // By default, one core is left idle.
    maxWorkers: "100%",
    // Only what hangs takes so long. A busy machine makes each step slow, and must not make a test fail.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...system],
        },
      },
      {
        extends: true,
        test: {
          name: "system",
          include: system,
          exclude: ["**/node_modules/**", ...(hasLongTests ? [] : onlyInProofs)],
          globalSetup: "test/support/prepare-postgres.ts",
        },
      },
      {
        // What answers over HTTP does so over either store: `createTestAuth` takes the server that this project provides.
        extends: true,
        test: {
          name: "over PostgreSQL",
          include: ["test/{http,staff}/**/*.test.ts"],
          globalSetup: "test/support/provide-postgres.ts",
        },
      },
    ],
    ...(report === undefined ? {} : { reporters: ["default", ["json", { outputFile: report }]] }),
  },
});

/**
 * Returns whether temporary files can be in this folder in memory, which may be absent, small, or unable to hold programs.
 * The tests commit thousands of transactions, and on a disk each of them would wait until it is written.
 */
function isRoomyFolder(path: string): boolean {
  if (!existsSync(path) || new RegExp(` ${path} .*\\bnoexec\\b`).test(readFileSync("/proc/mounts", "utf8")))
    return false;
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize > 4 * 1024 ** 3;
}
