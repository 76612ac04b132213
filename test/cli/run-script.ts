import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { text as readText } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { type Auth, type AuthError, type AuthOptions, type AuthUser, createAuth } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { childEnvironment } from "../support/child-environment.ts";
import { runCommand } from "../support/run-command.ts";

/**
 * A command of a script and its expected outcome. A script is a readable session at a terminal, with these lines:
 *
 *     # a comment
 *     $ [NAME=value …] tokenpair ARGUMENTS [< a line for stdin]
 *     $ [NAME=value …] npx tokenpair ARGUMENTS [< a line for stdin]   the same in a process of its own
 *     $ write FILE TEXT          creates a file with one line
 *     $ append FILE TEXT         appends a line to a file
 *     $ chmod MODE FILE          changes the mode of a file (octal)
 *     $ login USER               starts a session of a user
 *     $ serve-own ID USER        starts a session of a user in the application's own table
 *     $ guess USER TIMES         tries wrong passwords from 192.0.2.7, and prints the code of the last answer
 *     $ wait SECONDS             waits until the clock shows a time that is so many whole seconds later
 *     an expected line on stdout
 *     ! an expected line on stderr
 *     [exit 1]                   the expected exit code if it isn't 0
 *
 * In expected lines, `{uuid}`, `{time}`, `{seconds}`, `{kid}` and `{any}` match text of that kind. `{name=uuid}` also stores the
 * match, and `{name}` stands for it in later commands and expected lines, as `{folder}` does for the working directory.
 * Empty lines between commands are ignored.
 */
export interface Step {
  /** The number of the command's line. */
  readonly line: number;
  readonly command: string;
  readonly expected: Outcome;
}

/** The outcome of a command. */
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
  kid: "[\\w-]{43}",
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

/** Runs a script in an empty folder, and calls `check` with the expected and the actual outcome of every step. */
export async function runScript(
  path: string,
  check: (step: Step, expected: Outcome, actual: Outcome) => void,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "tokenpair-"));
  const folder = join(root, "empty");
  mkdirSync(folder);
  const stored = new Map([["folder", folder]]);
  try {
    for (const step of parseScript(readFileSync(path, "utf8"))) {
      const actual = await runStep(fill(step.command, stored), folder);
      check(step, matchOutcome(step.expected, actual, stored), actual);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const fill = (text: string, stored: ReadonlyMap<string, string>) =>
  text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => stored.get(name) ?? whole);

async function runStep(command: string, folder: string): Promise<Outcome> {
  const nothing: Outcome = { stdout: [], stderr: [], exit: 0 };
  const [, name, first = "", rest = ""] =
    /^(write|append|chmod|login|serve-own|guess|wait) (\S+) ?(.*)$/.exec(command) ?? [];
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
      await withAuth(folder, (auth) => auth.issue(first, { client }), toOwnUsers({ id: first, username: rest }));
      return nothing;
    case "guess":
      return { ...nothing, stdout: [await withAuth(folder, (auth) => guess(auth, first, Number(rest)))] };
    case "wait":
      await waitForSeconds(Number(first));
      return nothing;
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
  // A delay after failed logins isn't over before the script is.
  const more = { loginDelay: 600, signingKey: "a key of the tests, of 32 bytes or more" };
  const auth = createAuth<AuthUser>({ ...options, ...more, store });
  await auth.ready();
  try {
    return await work(auth);
  } finally {
    await auth.close();
    await store.close();
  }
}

/** Waits by the clock that the database uses: a timer may fire early. */
async function waitForSeconds(seconds: number): Promise<void> {
  const until = (Math.floor(Date.now() / 1_000) + seconds) * 1_000;
  while (Date.now() < until) await sleep(until - Date.now());
}

const client = { ip: "192.0.2.7", userAgent: "Firefox" };

async function logIn(auth: Auth<AuthUser>, username: string): Promise<void> {
  const user = await auth.users.findByName(username);
  await auth.issue(user?.id ?? "", { client });
}

/** Tries wrong passwords. @returns the code of the last answer. */
async function guess(auth: Auth<AuthUser>, username: string, times: number): Promise<string> {
  let answer = "";
  for (let n = 0; n < times; n++) {
    answer = await auth.login({ username, password: "a wrong guess" }, { client }).then(
      () => "logged in",
      (error: AuthError) => error.code,
    );
  }
  return answer;
}

async function runTokenpair(command: string, folder: string): Promise<Outcome> {
  const [invocation = "", line] = command.split(" < ", 2);
  const [, variables = "", npx, text = ""] = /^((?:\w+=\S*\s)*)(npx )?tokenpair ?(.*)$/.exec(invocation) ?? [];
  const pairs = variables
    .split(" ")
    .filter(Boolean)
    .map((pair) => pair.split("=", 2));
  const [args, env] = [toArguments(text), { ...childEnvironment, ...Object.fromEntries(pairs) }];
  const stdin = line === undefined ? "" : `${line}\n`;
  return npx === undefined ? runHere(args, env, stdin, folder) : runProcess(args, env, stdin, folder);
}

type Environment = Readonly<Record<string, string | undefined>>;

async function runHere(args: readonly string[], env: Environment, stdin: string, directory: string): Promise<Outcome> {
  const { exit, stdout, stderr } = await runCommand(args, { directory, env, stdin });
  return { stdout: toLines(stdout), stderr: toLines(stderr), exit };
}

async function runProcess(args: readonly string[], env: Environment, stdin: string, folder: string): Promise<Outcome> {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, env });
  child.stdin.end(stdin);
  const closed = once(child, "close");
  const [stdout, stderr] = await Promise.all([readText(child.stdout), readText(child.stderr)]);
  const [exit] = (await closed) as [number];
  return { stdout: toLines(stdout), stderr: toLines(stderr), exit };
}

/** Splits at spaces, except in single quotes. */
function toArguments(text: string): string[] {
  return [...text.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "");
}

function toLines(text: string): readonly string[] {
  return text
    .split("\n")
    .slice(0, text.endsWith("\n") ? -1 : undefined)
    .filter((line) => line !== "");
}

/** Returns the expected outcome, with every matching line replaced by the actual one. */
function matchOutcome(expected: Outcome, actual: Outcome, stored: Map<string, string>): Outcome {
  const match = (lines: readonly string[], found: readonly string[]) =>
    lines.map((line, index) => (isMatch(line, found[index] ?? "", stored) ? (found[index] ?? "") : fill(line, stored)));
  return {
    stdout: match(expected.stdout, actual.stdout),
    stderr: match(expected.stderr, actual.stderr),
    exit: expected.exit,
  };
}

function isMatch(line: string, found: string, stored: Map<string, string>): boolean {
  const pattern = fill(line, stored)
    .split(/(\{(?:\w+=)?(?:uuid|time|seconds|kid|any)\})/)
    .map((part) => toPattern(part))
    .join("");
  const matched = new RegExp(`^${pattern}$`).exec(found);
  for (const [name, text] of Object.entries(matched?.groups ?? {})) stored.set(name, text);
  return matched !== null;
}

function toPattern(part: string): string {
  const [, name, kind = ""] = /^\{(?:(\w+)=)?(uuid|time|seconds|kid|any)\}$/.exec(part) ?? [];
  const pattern = placeholders[kind];
  if (pattern === undefined) return part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return name === undefined ? pattern : `(?<${name}>${pattern})`;
}
