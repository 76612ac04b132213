import { createRequire } from "node:module";
import { resolve } from "node:path";
import { afterAll, describe } from "vitest";
import { testAdapters } from "../adapters/adapter-tests.ts";
import type { Frameworks } from "../adapters/applications.ts";
import { isPrepared } from "./prepared.ts";

const folder = resolve(import.meta.dirname, "adapters");

/** Imports a framework of the application `adapters`. */
function importFramework<T>(name: string): T {
  return createRequire(resolve(folder, "package.json"))(name) as T;
}

function importVersion(name: string): string {
  return importFramework<{ version: string }>(resolve(folder, "node_modules", name, "package.json")).version;
}

describe.skipIf(!isPrepared("adapters"))("the majors before, and the first Hono 4", () => {
  if (!isPrepared("adapters")) return;
  const { Hono } = importFramework<Pick<Frameworks, "Hono">>("hono4-first");
  testAdapters({ express: importFramework("express4"), fastify: importFramework("fastify4"), Hono });

  afterAll(() => {
    const versions = ["express4", "fastify4", "hono4-first"].map((name) => importVersion(name));
    console.log(`frameworks: adapters: Express, Fastify, Hono ${versions.join(", ")}: the HTTP scripts ran`);
  });
});
