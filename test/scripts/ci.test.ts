import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tokenpair-ci-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(process.platform === "win32")(".ci/setup", () => {
  const log = () => readFileSync(join(folder, "apt.log"), "utf8");

  /** Runs a copy of the script beside `packages`, with an apt-get that writes down its arguments. */
  function setUp(packages: string, env: Readonly<Record<string, string>>) {
    copyFileSync(join(root, ".ci/setup"), join(folder, "setup"));
    writeFileSync(join(folder, "packages"), packages);
    writeFileSync(join(folder, "apt.log"), "");
    writeFileSync(join(folder, "apt-get"), `#!/bin/sh\necho "$@" >> ${folder}/apt.log\n[ "$5" != caddy ]\n`);
    chmodSync(join(folder, "apt-get"), 0o755);
    const path = `${folder}:${process.env["PATH"]}`;
    return spawnSync(join(folder, "setup"), { env: { PATH: path, ...env }, encoding: "utf8" });
  }

  it("installs each package of the list if CI is set", () => {
    const { status, stdout } = setUp("# for proxies\nnginx  # test/proxies\nhaproxy\n", { CI: "true" });
    expect([status, stdout]).toEqual([0, ""]);
    expect(log().split("\n").slice(1, -1)).toEqual([
      "install -qq -y --no-install-recommends nginx",
      "install -qq -y --no-install-recommends haproxy",
    ]);
  });

  it("installs nothing outside of CI, and nothing if the list is empty", () => {
    expect(setUp("nginx\n", {}).status).toBe(0);
    expect(log()).toBe("");
    expect(setUp("# none yet\n", { CI: "true" }).status).toBe(0);
    expect(log()).toBe("");
  });

  it("does not fail if a package can't be installed, and says which", () => {
    const { status, stdout } = setUp("caddy\nnginx\n", { CI: "true" });
    expect([status, stdout]).toEqual([0, "setup: not installed: caddy\n"]);
    expect(log()).toContain("nginx");
  });
});

describe("node scripts/count-tests.ts", () => {
  function count(report: object | null, outcome: "passed" | "failed", ...steps: string[]) {
    const path = join(folder, "report.json");
    rmSync(path, { force: true });
    if (report !== null) writeFileSync(path, JSON.stringify(report));
    const { status, stdout } = spawnSync(
      process.execPath,
      [join(root, "scripts/count-tests.ts"), path, outcome, ...steps],
      {
        cwd: root,
        encoding: "utf8",
      },
    );
    return [status, stdout];
  }

  const passed = {
    name: "test/a.test.ts",
    status: "passed",
    assertionResults: [{ fullName: "works", status: "passed" }],
  };

  it("counts passed tests", () => {
    const report = { numPassedTests: 12, testResults: [passed] };
    expect(count(report, "passed")).toEqual([0, "12 passed, 0 failed\n"]);
  });

  it("names each failed test, with the beginning of its message", () => {
    const lines = Array.from({ length: 50 }, (_, index) => `line ${index + 1}`).join("\n");
    const assertionResults = [
      { fullName: "a token is refused", status: "failed", failureMessages: [`\u001b[31mError\u001b[39m\n${lines}`] },
      { fullName: "works", status: "passed", failureMessages: [] },
      { fullName: "a token is signed", status: "failed" },
    ];
    const failed = { name: join(root, "test/b.test.ts"), status: "failed", assertionResults };
    const report = { numPassedTests: 12, testResults: [passed, failed] };
    expect(count(report, "failed")).toEqual([
      1,
      [
        "failed: test/b.test.ts: a token is refused",
        "  Error",
        ...Array.from({ length: 11 }, (_, index) => `  line ${index + 1}`),
        "failed: test/b.test.ts: a token is signed",
        "12 passed, 2 failed",
        "",
      ].join("\n"),
    ]);
  });

  it("counts a file that could not be run, and a run that failed without one", () => {
    const broken = {
      name: join(root, "test/c.test.ts"),
      status: "failed",
      message: "no such module",
      assertionResults: [],
    };
    expect(count({ numPassedTests: 3, testResults: [passed, broken] }, "failed")).toEqual([
      1,
      "failed: test/c.test.ts\n  no such module\n3 passed, 1 failed\n",
    ]);
    expect(count({ numPassedTests: 3, testResults: [passed] }, "failed")).toEqual([
      1,
      "failed: the run of the tests, although no test failed\n3 passed, 1 failed\n",
    ]);
  });

  it("names each failed step, and counts it as one failure", () => {
    const report = { numPassedTests: 12, testResults: [passed] };
    expect(count(report, "passed", "npm run check", "npm run proof -- site --smoke")).toEqual([
      1,
      "failed: npm run check\nfailed: npm run proof -- site --smoke\n12 passed, 2 failed\n",
    ]);
  });

  it("counts a missing report as one failure", () => {
    expect(count(null, "failed", "npm run check")).toEqual([
      1,
      "failed: the tests did not run, or wrote no report\nfailed: npm run check\n0 passed, 2 failed\n",
    ]);
  });
});
