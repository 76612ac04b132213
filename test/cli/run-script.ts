import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type Auth, type AuthError, type AuthOptions, type AuthUser, createAuth } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";

/**
 * A script is a readable session at a terminal. Lines of it:
 *
 *     # a comment
 *     $ [NAME=value …] tokenpair ARGUMENTS [< the line on stdin]
 *     $ write FILE TEXT          makes a file of one line
 *     $ append FILE TEXT         adds a line to it
 *     $ chmod MODE FILE          (octal)
 *     $ login USER               starts a session of that user
 *     $ serve-own ID USER        starts a session of a user whom the application keeps
 *     $ guess USER TIMES         tries wrong passwords from 192.0.2.7, and prints how the last was answered
 *     what is expected on stdout
 *     ! what is expected on stderr
 *     [exit 1]                   where it is not 0
 *
 * In what is expected `{uuid}`, `{time}`, `{folder}` and `{any}` stand for themselves; `{name=uuid}` keeps what it
 * matched, and `{name}` is that, in later commands and expectations. Empty lines between commands mean nothing.
 */
export interface Step {
  readonly line: number;
  readonly command: string;
  readonly expected: Outcome;
}

/** What a command did. */
export interface Outcome {
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  readonly exit: number;
}

const main = resolve(import.meta.dirname, "../../src/cli/main.ts");

const placeholders: Readonly<Record<string, string>> = {
  uuid: "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
  time: "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ",
  seconds: "\\d{10}",
  any: ".*",
};

function parseScript(text: string): readonly Step[] {
  const steps: Step[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.startsWith("#") || line.trim() === "") continue;
    if (line.startsWith("$ ")) {
      steps.push({ line: index + 1, command: line.slice(2), expected: { stdout: [], stderr: [], exit: 0 } });
      continue;
    }
    const step = steps.pop();
    if (step === undefined) throw new Error(`line ${index + 1}: a script begins with a command`);
    steps.push({ ...step, expected: withExpectation(step.expected, line) });
  }
  return steps;
}

function withExpectation(expected: Outcome, line: string): Outcome {
  const exit = /^\[exit (\d+)\]$/.exec(line)?.[1];
  if (exit !== undefined) return { ...expected, exit: Number(exit) };
  if (line.startsWith("! ")) return { ...expected, stderr: [...expected.stderr, line.slice(2)] };
  return { ...expected, stdout: [...expected.stdout, line] };
}

/** Runs a script in an empty folder and tells `check` of each step what was expected and what it did. */
export async function runScript(
  path: string,
  check: (step: Step, expected: Outcome, actual: Outcome) => void,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "tokenpair-"));
  const folder = join(root, "empty");
  mkdirSync(folder);
  const kept = new Map([["folder", folder]]);
  try {
    for (const step of parseScript(readFileSync(path, "utf8"))) {
      const actual = await runStep(fill(step.command, kept), folder);
      check(step, matchOutcome(step.expected, actual, kept), actual);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const fill = (text: string, kept: ReadonlyMap<string, string>) =>
  text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => kept.get(name) ?? whole);

async function runStep(command: string, folder: string): Promise<Outcome> {
  const nothing: Outcome = { stdout: [], stderr: [], exit: 0 };
  const [, name, first = "", rest = ""] =
    /^(write|append|chmod|login|serve-own|guess) (\S+) ?(.*)$/.exec(command) ?? [];
  switch (name) {
    case "write":
      mkdirSync(dirname(join(folder, first)), { recursive: true });
      writeFileSync(join(folder, first), `${rest}\n`, { mode: 0o600 });
      return nothing;
    case "append":
      appendFileSync(join(folder, first), `${rest}\n`);
      return nothing;
    case "chmod":
      chmodSync(join(folder, rest), Number.parseInt(first, 8));
      return nothing;
    case "login":
      await withAuth(folder, (auth) => logIn(auth, first));
      return nothing;
    case "serve-own":
      await withAuth(folder, (auth) => auth.issue(first, { origin }), toOwnUsers({ id: first, username: rest }));
      return nothing;
    case "guess":
      return { ...nothing, stdout: [await withAuth(folder, (auth) => guess(auth, first, Number(rest)))] };
    default:
      return runTokenpair(command, folder);
  }
}

const toOwnUsers = (user: Pick<AuthUser, "id" | "username">) => ({
  findUser: async (id: string) => (id === user.id ? { ...user, isActive: true } : null),
});

async function withAuth<T>(
  folder: string,
  work: (auth: Auth<AuthUser>) => Promise<T>,
  options: Partial<AuthOptions<AuthUser>> = {},
): Promise<T> {
  const store = sqliteStore(join(folder, "data/tokenpair.db"));
  const auth = createAuth<AuthUser>({ ...options, store, signingKey: "a key of the tests, of 32 bytes or more" });
  await auth.ready();
  try {
    return await work(auth);
  } finally {
    auth.close();
    await store.close();
  }
}

const origin = { ip: "192.0.2.7", userAgent: "Firefox" };

async function logIn(auth: Auth<AuthUser>, username: string): Promise<void> {
  const user = await auth.users.findByName(username);
  await auth.issue(user?.id ?? "", { origin });
}

/** Guesses so often at a password; how the last guess was answered. */
async function guess(auth: Auth<AuthUser>, username: string, times: number): Promise<string> {
  let answer = "";
  for (let n = 0; n < times; n++) {
    answer = await auth.login({ username, password: "a wrong guess" }, { origin }).then(
      () => "logged in",
      (error: AuthError) => error.code,
    );
  }
  return answer;
}

async function runTokenpair(command: string, folder: string): Promise<Outcome> {
  const [invocation = "", line] = command.split(" < ", 2);
  const [, variables = "", args = ""] = /^((?:\w+=\S*\s)*)tokenpair ?(.*)$/.exec(invocation) ?? [];
  const env = Object.fromEntries(
    variables
      .split(" ")
      .filter(Boolean)
      .map((pair) => pair.split("=", 2)),
  );
  const child = spawn(process.execPath, [main, ...toArguments(args)], {
    cwd: folder,
    // Compiled once for all commands of the script, which makes each four times as fast.
    env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: join(folder, "../cache"), ...env },
  });
  child.stdin.end(line === undefined ? "" : `${line}\n`);
  const closed = once(child, "close");
  const [stdout, stderr] = await Promise.all([readLines(child.stdout), readLines(child.stderr)]);
  const [exit] = (await closed) as [number];
  return { stdout, stderr, exit };
}

/** Words, and texts in single quotes. */
function toArguments(text: string): string[] {
  return [...text.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "");
}

async function readLines(stream: NodeJS.ReadableStream): Promise<string[]> {
  let text = "";
  for await (const chunk of stream) text += chunk.toString();
  return text
    .split("\n")
    .slice(0, text.endsWith("\n") ? -1 : undefined)
    .filter((line) => line !== "");
}

/** What was expected, with each line that matches replaced by what it matched. */
function matchOutcome(expected: Outcome, actual: Outcome, kept: Map<string, string>): Outcome {
  const match = (lines: readonly string[], found: readonly string[]) =>
    lines.map((line, index) => (isMatch(line, found[index] ?? "", kept) ? (found[index] ?? "") : fill(line, kept)));
  return {
    stdout: match(expected.stdout, actual.stdout),
    stderr: match(expected.stderr, actual.stderr),
    exit: expected.exit,
  };
}

function isMatch(line: string, found: string, kept: Map<string, string>): boolean {
  const pattern = fill(line, kept)
    .split(/(\{(?:\w+=)?(?:uuid|time|seconds|any)\})/)
    .map((part) => toPattern(part))
    .join("");
  const matched = new RegExp(`^${pattern}$`).exec(found);
  for (const [name, text] of Object.entries(matched?.groups ?? {})) kept.set(name, text);
  return matched !== null;
}

function toPattern(part: string): string {
  const [, name, kind = ""] = /^\{(?:(\w+)=)?(uuid|time|seconds|any)\}$/.exec(part) ?? [];
  const pattern = placeholders[kind];
  if (pattern === undefined) return part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return name === undefined ? pattern : `(?<${name}>${pattern})`;
}
