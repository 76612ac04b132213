import { defineConfig } from "vitest/config";

const report = process.env["TOKENPAIR_TEST_REPORT"];

export default defineConfig({
  test: {
    pool: "forks",
    testTimeout: 30_000,
    hookTimeout: 30_000,
    projects: [
      { extends: true, test: { name: "all", include: ["test/**/*.test.ts"] } },
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
