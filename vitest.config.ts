import { defineConfig } from "vitest/config";

const report = process.env["TOKENPAIR_TEST_REPORT"];

/**
 * Tests that start a server, a browser, PostgreSQL or other processes, that need the build, or that run for long. All others
 * are unit tests. Those share processes, because the source has no state of its own to share: it takes a third of the time.
 */
const system = [
  "test/{adapters,browser,compatibility,fuzz,model,proxies,races}/**/*.test.ts",
  "test/{examples,package}.test.ts",
  "test/cli/{backup,flushexpiredtokens,scripts,users-import}.test.ts",
  "test/scripts/mutants.test.ts",
  "test/server/{pooler,postgres,process,serve}.test.ts",
  "test/server/listen/*.test.ts",
  "test/server/handlers/page.test.ts",
  "test/store/postgres/*.test.ts",
  "test/store/sqlite/processes.test.ts",
];

export default defineConfig({
  test: {
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      { extends: true, test: { name: "unit", include: ["test/**/*.test.ts"], exclude: system, isolate: false } },
      { extends: true, test: { name: "system", include: system } },
      {
        // What answers over HTTP does so over either store: `createTestAuth` takes the server that this project provides.
        extends: true,
        test: {
          name: "over PostgreSQL",
          include: ["test/http/**/*.test.ts"],
          globalSetup: "test/support/provide-postgres.ts",
        },
      },
    ],
    ...(report === undefined ? {} : { reporters: ["default", ["json", { outputFile: report }]] }),
  },
});
