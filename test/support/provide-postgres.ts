import type { TestProject } from "vitest/node";
import { startPostgres } from "./postgres.ts";
import { setup as prepare } from "./prepare-postgres.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The URL of the PostgreSQL that this project's tests use. */
    readonly postgresUrl?: string;
  }
}

/** Starts one PostgreSQL for all tests of a project. Returns the function that stops it. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const deleteTemplate = await prepare();
  const server = await startPostgres();
  provide("postgresUrl", server.url);
  return async () => {
    await server.stop();
    await deleteTemplate();
  };
}
