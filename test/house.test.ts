import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { describe, expect, it } from "vitest";

const src = resolve(import.meta.dirname, "../src");

/** Which rooms each room may import from. `root` is the library's entry: the files that lie in src itself. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  crypto: ["core"],
  revocation: ["core"],
  audit: ["core"],
  store: ["core"],
  flows: ["core", "crypto", "revocation"],
  http: ["core", "flows", "crypto"],
  root: ["core", "crypto", "revocation", "audit", "flows", "http"],
  adapters: ["core", "root"],
  server: ["core", "crypto", "flows", "store", "http", "adapters", "root"],
  cli: ["core", "crypto", "flows", "store", "http", "server", "root"],
  client: ["core"],
  page: ["client"],
};

interface Import {
  readonly file: string;
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

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));
}

function readImports(path: string): Import[] {
  const lines = readFileSync(path, "utf8").matchAll(/^(?:import|export)\b([^"';]*?)\bfrom "(\.[^"]+)";/gms);
  return [...lines].map(([, clause = "", specifier = ""]) => ({
    file: relative(src, path),
    from: toRoom(path),
    to: toRoom(resolve(dirname(path), specifier)),
    isTypeOnly: clause.trimStart().startsWith("type "),
  }));
}

function toRoom(path: string): string {
  const [room = "", ...rest] = relative(src, path).split(sep);
  return rest.length === 0 ? "root" : room;
}
