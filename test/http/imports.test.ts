import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { describe, expect, it } from "vitest";

const src = resolve(import.meta.dirname, "../../src");

/** The floors of src/http. Each imports from itself and from those before it only. */
const floors = [
  "request",
  "response",
  "openapi",
  "endpoint.ts",
  "cookies",
  "credentials.ts",
  "resume",
  "forward-auth.ts",
  "feed-requests.ts",
  "service-credentials.ts",
  "routes",
  "matcher.ts",
  "router.ts",
];

/** An import line, both paths relative to src. */
interface Import {
  readonly from: string;
  readonly to: string;
}

const imports = readdirSync(join(src, "http"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .flatMap((name) => readImports(join(src, "http", name)));

describe("the import lines of src/http", () => {
  it("imports neither the store nor the flows' dependencies into a route", () => {
    const ofRoutes = imports.filter(({ from }) => from.startsWith(join("http", "routes", sep)));
    expect(ofRoutes.length).toBeGreaterThan(50);
    expect(ofRoutes.filter(({ to }) => /^(?:store|core\/store|flows\/deps\.ts)(?:\/|$)/.test(to))).toEqual([]);
  });

  it("imports from lower floors only, so that no two floors depend on each other", () => {
    const toFloor = (path: string) => floors.indexOf(path.split(sep)[1] ?? "");
    const within = imports.filter(({ to }) => to.startsWith(join("http", sep)));
    expect(within.length).toBeGreaterThan(50);
    expect(within.filter(({ from, to }) => toFloor(from) === -1 || toFloor(to) > toFloor(from))).toEqual([]);
  });
});

function readImports(path: string): Import[] {
  const lines = readFileSync(path, "utf8").matchAll(/\b(?:from|import)[ (]"(\.[^"]+)"/g);
  return Array.from(lines, ([, specifier = ""]) => ({
    from: relative(src, path),
    to: relative(src, resolve(dirname(path), specifier)),
  }));
}
