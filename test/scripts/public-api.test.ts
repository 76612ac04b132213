import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { compareSnapshots, toSnapshot } from "../../scripts/api-snapshot.ts";
import { listDocstringFaults } from "../../scripts/check-docstrings.ts";
import { type PublicApi, readPublicApi } from "../../scripts/public-api/read.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** The API of a package whose entry is `index`, beside other declaration files. */
function read(index: string, others: Readonly<Record<string, string>> = {}): PublicApi {
  const root = mkdtempSync(join(tmpdir(), "tokenpair-api-"));
  folders.push(root);
  const entries = { ".": "./dist/index.js", ...(others["more/index.d.ts"] && { "./more": "./dist/more/index.js" }) };
  writeFileSync(join(root, "package.json"), JSON.stringify({ name: "own", type: "module", exports: entries }));
  for (const [name, text] of Object.entries({ "index.d.ts": index, ...others })) {
    const path = join(root, "dist", name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return readPublicApi(root);
}

/** The lines of the snapshot after its preamble. */
function snapshot(api: PublicApi): readonly string[] {
  return toSnapshot(api).trimEnd().split("\n").slice(2);
}

describe("api-snapshot", () => {
  it("the API snapshot has one line for each member, nested members included, without comments", () => {
    const api = read(`
      /** An account. */
      export interface Account<T extends string = "//"> extends Iterable<T> {
          /** Its rows. */
          readonly rows: {
              /** Lists them. */
              list(options: {
                  /** At most. */
                  readonly limit?: number;
              }): T[];
          };
          close(): {
              readonly done: boolean;
          };
          [key: symbol]: string;
      }`);
    expect(snapshot(api)).toEqual([
      "own",
      '  interface Account<T extends string = "//"> extends Iterable<T>',
      "  Account[key: symbol]: string",
      "  Account.close(): { readonly done: boolean; }",
      "  readonly Account.rows",
      "  Account.rows.list(options: { readonly limit?: number; }): T[]",
    ]);
  });

  it("the API snapshot has one line for each alternative of a union", () => {
    const api = read(`export type Outcome<T> = "late" | { readonly ok: true; readonly value: T };`);
    expect(snapshot(api)).toEqual([
      "own",
      "  type Outcome<T>",
      '  Outcome | "late"',
      "  Outcome | { readonly ok: true; readonly value: T }",
    ]);
  });

  it("the API snapshot leaves out private members and the names in destructured parameters", () => {
    const api = read(`
      export declare class Failure extends Error {
          #private;
          private readonly secret;
          static readonly kind = "failure";
          get code(): string;
          constructor(code: string, { cause }?: ErrorOptions);
      }`);
    expect(snapshot(api)).toEqual([
      "own",
      "  class Failure extends Error",
      "  get Failure.code(): string",
      "  Failure.constructor(code: string, {}?: ErrorOptions)",
      '  static readonly Failure.kind = "failure"',
    ]);
  });

  it("the API snapshot follows re-exports and lists additions to the types of another package", () => {
    const api = read('export { inner as outer } from "./inner.ts";\nexport * from "./inner.ts";', {
      "inner.d.ts":
        "export declare function inner(n: number): void;\nexport declare const limits: Readonly<{ most: 5; }>;",
      "more/index.d.ts": 'declare module "elsewhere" { interface Req { auth?: string; } }\nexport {};',
    });
    expect(snapshot(api)).toEqual([
      "own",
      "  function inner(n: number): void",
      "  const limits",
      "  limits.most: 5",
      "  function outer(n: number): void",
      "",
      "own/more",
      "  interface elsewhere.Req",
      "  elsewhere.Req.auth?: string",
    ]);
  });

  it("reading the API of a package that is not built says to build it", () => {
    expect(() => read("", { "more/index.d.ts": "" })).toThrow("run npm run build");
  });
});

describe("the rule for changes of the API", () => {
  const before = [
    "own",
    "  interface Account",
    "  Account.close(): void",
    "  interface Other",
    "  readonly Other.id: string",
  ];
  const compare = (after: readonly string[], changelog: string) =>
    compareSnapshots(before.join("\n"), after.join("\n"), `# Changelog\n\n## Unreleased\n\n${changelog}`);

  it("an addition to the API needs no entry in the changelog", () => {
    const added = ["own/more", "  interface Account", "  Account.open(): void"];
    expect(compare([...before, ...added], "")).toEqual({
      added: ["own/more: interface Account", "own/more: Account.open(): void"],
      removed: [],
      unexplained: [],
    });
  });

  it("a changed member needs its name in a code span of the changelog", () => {
    const after = before.with(2, "  Account.close(): Promise<void>");
    expect(compare(after, "`Account` was changed, on close")).toMatchObject({
      removed: ["own: Account.close(): void"],
      unexplained: ["close"],
    });
    expect(compare(after, "`Account.close` returns a promise")).toMatchObject({ unexplained: [] });
  });

  it("a removed declaration needs only its own name in the changelog", () => {
    const after = before.slice(0, 3);
    expect(compare(after, "").unexplained).toEqual(["Other"]);
    expect(compare(after, "- `Other` is gone").unexplained).toEqual([]);
  });

  it("an older section of the changelog does not explain a removal", () => {
    expect(compare(before.slice(0, 3), "\n## 0.1.0\n\n- `Other` is gone").unexplained).toEqual(["Other"]);
  });
});

describe("check-docstrings", () => {
  it("reports every export and every member without a docstring that has a sentence", () => {
    const api = read(`
      /** @throws TypeError */
      export declare function run(): void;
      export interface Account {
          /** Its id. */
          readonly id: string;
          readonly name: string;
          /** Closes it. */
          close(reason: "a"): void;
          close(reason: "b"): void;
          [key: symbol]: string;
      }
      /** How it went. */
      export type Outcome = { readonly ok: true } | ({ readonly ok: false } & { readonly reason: string });`);
    expect(listDocstringFaults(api)).toEqual([
      "src/index.ts: Account has no docstring",
      "src/index.ts: Account.close has no docstring",
      "src/index.ts: Account.name has no docstring",
      "src/index.ts: Account[key: symbol]: string has no docstring",
      "src/index.ts: Outcome.reason has no docstring",
      "src/index.ts: run has no docstring",
    ]);
  });

  it("reports every unexported type that an exported signature reaches", () => {
    const api = read(
      `import type { Hidden } from "./hidden.ts";
      /** Runs. */
      export declare function run<T>(input: Promise<T>, hidden: Hidden<T>[]): void;`,
      {
        "hidden.d.ts": `
          /** Deep. */
          type Deep = string;
          /** Hidden. */
          export interface Hidden<T> extends Pick<Map<T, Deep>, "get"> { readonly value: T; }`,
      },
    );
    expect(listDocstringFaults(api)).toEqual([
      "src/hidden.ts: Deep is not exported, and Hidden names it",
      "src/hidden.ts: Hidden is not exported, and run names it",
      "src/hidden.ts: Hidden.value has no docstring",
    ]);
  });

  it("does not report a type that another entry or another package exports", () => {
    const api = read(
      `import type { Elsewhere } from "elsewhere";
      import type { Shared } from "./more/index.ts";
      /** Runs. */
      export declare function run(shared: Shared, elsewhere: Elsewhere): void;`,
      {
        "more/index.d.ts": `
          /** Shared. */
          export type Shared = number;
          declare module "elsewhere" {
            interface Elsewhere {
              /** Added. */
              auth: string;
            }
          }`,
        "../node_modules/elsewhere/index.d.ts": "export interface Elsewhere { readonly id: string; }",
      },
    );
    expect(listDocstringFaults(api)).toEqual([]);
  });
});
