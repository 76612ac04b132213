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
  function count(report: object | null, ...args: string[]) {
    const path = join(folder, "report.json");
    rmSync(path, { force: true });
    if (report !== null) writeFileSync(path, JSON.stringify(report));
    const { status, stdout } = spawnSync(process.execPath, [join(root, "scripts/count-tests.ts"), path, ...args], {
      encoding: "utf8",
    });
    return [status, stdout];
  }

  it("counts passed and failed tests", () => {
    expect(count({ numPassedTests: 12, numFailedTests: 0 })).toEqual([0, "12 passed, 0 failed\n"]);
    expect(count({ numPassedTests: 12, numFailedTests: 3 })).toEqual([1, "12 passed, 3 failed\n"]);
  });

  it("counts each failed step as one failure", () => {
    expect(count({ numPassedTests: 12, numFailedTests: 1 }, "2")).toEqual([1, "12 passed, 3 failed\n"]);
  });

  it("counts a missing report as one failure", () => {
    expect(count(null, "1")).toEqual([1, "0 passed, 2 failed\n"]);
  });
});
