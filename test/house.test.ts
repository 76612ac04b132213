import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { describe, expect, it } from "vitest";

const src = resolve(import.meta.dirname, "../src");

/** Which rooms each room may import from. `root` is the library's entry: the files that lie in src itself. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  events: ["core"],
  crypto: ["core"],
  keys: ["core", "events", "crypto"],
  revocation: ["core", "events"],
  store: ["core"],
  flows: ["core", "events", "crypto", "keys", "revocation"],
  http: ["core", "events", "crypto", "keys", "flows"],
  root: ["core", "events", "crypto", "keys", "revocation", "flows", "http"],
  verifier: ["core", "events", "crypto", "revocation", "flows", "http", "root"],
  passwords: ["core", "crypto", "flows"],
  staff: ["core", "events", "crypto", "keys", "revocation", "flows", "http", "root"],
  adapters: ["core", "root", "verifier"],
  server: ["core", "events", "crypto", "keys", "flows", "store", "http", "adapters", "root", "verifier", "staff"],
  cli: ["core", "events", "crypto", "keys", "revocation", "flows", "store", "http", "server", "staff", "root"],
  client: ["core"],
  page: ["client", "server"],
  console: ["client", "page", "staff"],
};

interface Import {
  readonly file: string;
  /** The imported file. */
  readonly target: string;
  readonly from: string;
  readonly to: string;
  readonly isTypeOnly: boolean;
}

describe("the house", () => {
  const imports = listFiles(src).flatMap(readImports);

  it("has a row in the table for every room", () => {
    const rooms = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect([...rooms.map((room) => room.name), "root"].sort()).toEqual(Object.keys(allowed).sort());
  });

  it("lets no room import from a room that the table does not name", () => {
    const crossings = imports.filter(({ from, to }) => from !== to);
    expect(crossings.length).toBeGreaterThan(50);
    expect(
      crossings.filter(({ from, to }) => !allowed[from]?.includes(to)).map(({ file, to }) => `${file} → ${to}`),
    ).toEqual([]);
  });

  it("gives the browser's room only types of the rest", () => {
    const values = imports.filter(({ from, to, isTypeOnly }) => from === "client" && to !== "client" && !isTypeOnly);
    expect(values).toEqual([]);
  });

  it("gives the console only types of the staff API", () => {
    const values = imports.filter(({ from, to, isTypeOnly }) => from === "console" && to === "staff" && !isTypeOnly);
    expect(values).toEqual([]);
    expect(imports.some(({ from, to }) => from === "console" && to === "staff")).toBe(true);
  });

  it("gives the page only types of the server's demonstration", () => {
    const crossings = imports.filter(({ from, to }) => from === "page" && to === "server");
    expect(
      crossings.filter(({ isTypeOnly, target }) => !isTypeOnly || !target.endsWith(join("demo", "lines.ts"))),
    ).toEqual([]);
    expect(crossings).not.toEqual([]);
  });

  it("has no circle of imports, not even of types", () => {
    expect(findCircle(imports)).toEqual([]);
  });

  it("keeps every file to one subject: at most 300 lines", () => {
    const crowded = listFiles(src).filter((file) => readFileSync(file, "utf8").split("\n").length > 300);
    expect(crowded.map((file) => relative(src, file))).toEqual([]);
  });

  it("keeps every adapter under 60 lines", () => {
    const adapters = listFiles(join(src, "adapters"));
    expect(adapters.length).toBeGreaterThanOrEqual(4);
    const long = adapters.filter((file) => readFileSync(file, "utf8").trimEnd().split("\n").length >= 60);
    expect(long.map((file) => relative(src, file))).toEqual([]);
  });
});

/** Returns the files of one circle of imports, or none. */
function findCircle(imports: readonly Import[]): readonly string[] {
  const targets = new Map<string, string[]>();
  for (const { file, target } of imports) targets.set(file, [...(targets.get(file) ?? []), target]);
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): readonly string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return [];
    for (const target of targets.get(file) ?? []) {
      const circle = visit(target, [...path, file]);
      if (circle.length > 0) return circle;
    }
    done.add(file);
    return [];
  };
  for (const file of targets.keys()) {
    const circle = visit(file, []);
    if (circle.length > 0) return circle;
  }
  return [];
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
}

function readImports(path: string): Import[] {
  const lines = readFileSync(path, "utf8").matchAll(/^(?:import|export)\b([^"';]*?)\bfrom "(\.[^"]+)";/gms);
  return [...lines].map(([, clause = "", specifier = ""]) => ({
    file: relative(src, path),
    target: relative(src, resolve(dirname(path), specifier)),
    from: toRoom(path),
    to: toRoom(resolve(dirname(path), specifier)),
    isTypeOnly: clause.trimStart().startsWith("type "),
  }));
}

function toRoom(path: string): string {
  const [room = "", ...rest] = relative(src, path).split(sep);
  return rest.length === 0 ? "root" : room;
}
