import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createAuth } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { childEnvironment } from "../support/child-environment.ts";

const main = resolve(import.meta.dirname, "../../src/cli/main.ts");
const folder = mkdtempSync(join(tmpdir(), "tokenpair-output-"));
const store = sqliteStore(join(folder, "data/tokenpair.db"));
const auth = createAuth({ store, signingKey: "a signing key of the tests, at least 32 bytes long" });

beforeAll(async () => {
  await store.migrate();
  await auth.users.create({ username: "first", password: "correct horse battery staple" });
});
afterAll(async () => {
  await auth.close();
  await store.close();
  rmSync(folder, { recursive: true });
});

/** Runs a command with its stdout in a pipe or, as a number, in an open file. */
function run(args: readonly string[], stdout: "pipe" | number = "pipe"): ChildProcess {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: childEnvironment,
    stdio: ["ignore", stdout, "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** Waits for the end of a process. */
async function readEnd(child: ChildProcess): Promise<{ readonly exit: unknown; readonly errors: string }> {
  const [errors, [exit]] = await Promise.all([text(child.stderr as Readable), once(child, "exit")]);
  return { exit, errors };
}

describe("a command whose output is piped into a program that ends early, such as head,", () => {
  it.each([["users", "list"], ["doctor"], ["--help"]])("ends without an error: %s %s", async (...args) => {
    const child = run(args.filter((arg) => typeof arg === "string"));
    child.stdout?.destroy();
    expect(await readEnd(child)).toEqual({ exit: 0, errors: "" });
  });

  it("ends at the next entry with audit --follow", async () => {
    const child = run(["audit", "--follow"]);
    const end = readEnd(child);
    await once(child.stdout as Readable, "data");
    child.stdout?.destroy();
    await auth.users.create({ username: "second", password: "correct horse battery staple" });
    expect(await end).toEqual({ exit: 0, errors: "" });
  });
});

describe.runIf(existsSync("/dev/full"))("a command whose output is written to a full disk", () => {
  it.each([["users", "list"], ["audit"], ["doctor"]])("exits with 1 and says why: %s %s", async (...args) => {
    const full = openSync("/dev/full", "w");
    const end = readEnd(
      run(
        args.filter((arg) => typeof arg === "string"),
        full,
      ),
    );
    closeSync(full);
    expect(await end).toEqual({ exit: 1, errors: "tokenpair: the output can't be written (ENOSPC)\n" });
  });
});
