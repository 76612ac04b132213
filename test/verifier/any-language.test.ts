import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { VerifierVectors } from "../../scripts/verifier-vectors.ts";
import { findPython, hasPhp, isThere, run } from "./languages.ts";

const examples = resolve(import.meta.dirname, "../../examples/verifier");
const vectors = resolve(import.meta.dirname, "../../docs/verifier/vectors.json");

const python = findPython();

const all = ["keySets", "frames", "tables", "responses", "tokens", "verdicts", "freshness", "keyVersions", "answers"];

/** The examples: how each one is tested with the vectors at a path, and what it lacks on this machine. */
const languages = [
  {
    name: "python",
    lacks: python === undefined && "python3 with python3-jwt",
    test: (path: string) => run(python ?? "", ["self_test.py", path], join(examples, "python")),
    sections: all,
  },
  {
    name: "go",
    lacks: !isThere("go", "version") && "go",
    test: (path: string) => run("go", ["test", "-count=1", "./..."], join(examples, "go"), { VECTORS: path }),
    sections: all,
  },
  {
    name: "php",
    lacks: !hasPhp() && "php-cli",
    test: (path: string) => run("php", ["self_test.php", path], join(examples, "php")),
    // It reads a file and has no connection.
    sections: all.filter((section) => !["tables", "responses", "freshness"].includes(section)),
  },
];

describe.each(languages)("the example verifier in $name", ({ lacks, test, sections }) => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tokenpair-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("passes the vectors", (context) => {
    context.skip(lacks !== false, `this machine lacks ${lacks}`);
    const { status, output } = test(vectors);
    expect(output).not.toContain("got ");
    expect(status).toBe(0);
  });

  it("fails with each vector that says something else", (context) => {
    context.skip(lacks !== false, `this machine lacks ${lacks}`);
    const path = join(folder, "vectors.json");
    writeFileSync(path, JSON.stringify(toWrong(JSON.parse(readFileSync(vectors, "utf8")))));
    const { status, output } = test(path);
    for (const section of sections) expect(output).toMatch(new RegExp(`wrong ${section}.*: got `));
    expect(status).not.toBe(0);
  });
});

/** Returns the vectors with one more of each kind, which no verifier can pass. */
function toWrong(right: VerifierVectors) {
  const { keySets, frames, tables, responses, tokens, verdicts, freshness, keyVersions, answers } = right;
  const first = <T extends object, C extends object>(list: readonly T[], section: string, changes: C) => [
    ...list,
    { ...list[0], name: `wrong ${section}`, ...changes },
  ];
  return {
    ...right,
    keySets: first(keySets, "keySets", { kids: [] }),
    responses: first(responses, "responses", { table: [] }),
    frames: first(frames, "frames", { result: "invalid" }),
    tables: first(tables, "tables", { table: [] }),
    tokens: first(tokens, "tokens", { claims: { ...tokens[0]?.claims, userId: "43" } }),
    verdicts: first(verdicts, "verdicts", { revoked: true }),
    freshness: first(freshness, "freshness", { steps: [{ event: "check", at: 0, stale: false }] }),
    keyVersions: first(keyVersions, "keyVersions", {
      steps: [{ at: 0, event: "check", kid: "a", status: 401, read: true }],
    }),
    answers: first(answers, "answers", { status: 503 }),
  };
}
