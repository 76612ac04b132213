import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createFolder } from "../server/folder.ts";
import { childEnvironment } from "../support/child-environment.ts";
import { createPackageFolder, type PackageFolder, run } from "../support/packed-package.ts";
import { readOutput } from "../support/run-command.ts";
import { post, toPair } from "../support/wire.ts";

const servers = ["express", "fastify", "hono", "node"] as const;

/** `tokenpair init` in empty folders that see the packed package and the frameworks. */
describe("tokenpair init", () => {
  let packed: PackageFolder;
  let running: ChildProcess | undefined;
  beforeAll(() => {
    packed = createPackageFolder("all");
  });
  afterAll(() => packed.remove());
  afterEach(async () => {
    if (running === undefined) return;
    const exited = once(running, "exit");
    running.kill();
    await exited;
    running = undefined;
  });

  /** Creates a folder that has the package and the frameworks, as after `npm install`. */
  function createProject(): string {
    const folder = createFolder();
    symlinkSync(join(packed.path, "node_modules"), join(folder, "node_modules"));
    return folder;
  }

  const toArguments = (framework: string, database = "sqlite", frontEnd = "cookie") =>
    ["init", "--framework", framework, "--database", database, "--front-end", frontEnd] as const;

  /** Runs the packed command line. */
  const runPacked = (folder: string, args: readonly string[], input?: string) =>
    run(process.execPath, ["node_modules/tokenpair/dist/cli/main.js", ...args], folder, input);

  const tokenpair = (directory: string, args: readonly string[]) =>
    readOutput(args, { directory, env: childEnvironment });

  const init = (folder: string, ...choices: Parameters<typeof toArguments>) =>
    tokenpair(folder, toArguments(...choices));

  const read = (folder: string, name: string) => readFileSync(join(folder, name), "utf8");

  function readAll(folder: string): Record<string, string> {
    return Object.fromEntries(
      listFiles(folder)
        .sort()
        .map((name) => [name, read(folder, name)]),
    );
  }

  /** Lists the files in all folders, except those of the packages. */
  function listFiles(root: string, below = ""): string[] {
    return readdirSync(join(root, below), { withFileTypes: true })
      .filter(({ name }) => name !== "node_modules")
      .flatMap((entry) => {
        const path = join(below, entry.name);
        return entry.isDirectory() ? listFiles(root, path) : [path];
      });
  }

  async function start(folder: string): Promise<string> {
    running = spawn(process.execPath, ["server.ts"], {
      cwd: folder,
      env: { ...childEnvironment, PORT: "0" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let seen = "";
    for await (const line of createInterface({ input: running.stdout as NonNullable<typeof running.stdout> })) {
      seen += line;
      const port = /port: (\d+)/.exec(seen)?.[1];
      if (port !== undefined) return `http://localhost:${port}`;
    }
    throw new Error("the server exited before it listened");
  }

  it.each(servers)("writes a server for %s that compiles, starts and logs a user in", async (framework) => {
    const folder = createProject();
    expect(runPacked(folder, toArguments(framework))).toContain("npm run dev");
    run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "."], folder);
    runPacked(folder, ["migrate"]);
    runPacked(folder, ["users", "create", "alice", "--password-stdin"], "correct horse battery\n");
    const url = await start(folder);
    expect((await fetch(`${url}/hello`)).status).toBe(401);
    const { access } = toPair(
      await post(`${url}/api/token/`, { username: "alice", password: "correct horse battery" }),
    );
    const hello = await fetch(`${url}/hello`, { headers: { Authorization: `Bearer ${access}` } });
    expect(await hello.text()).toBe("hello, user 1\n");
  });

  it.each([
    ["nest", "cookie"],
    ["next", "cookie"],
    ["node", "bearer"],
  ])("writes code for %s with %s tokens that compiles", async (framework, frontEnd) => {
    const folder = createProject();
    await init(folder, framework, "sqlite", frontEnd);
    run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "."], folder);
  });

  it("creates a key and an .env that only their owner can read, and tells git to ignore both", async () => {
    const folder = createProject();
    const output = await init(folder, "node", "postgres");
    for (const name of ["data/signing.key", ".env"]) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    expect(read(folder, ".gitignore").split("\n")).toEqual(["node_modules/", ".env", "data/", ""]);
    expect(read(folder, ".env")).toMatch(
      /^TOKENPAIR_DATABASE_URL=postgres:.*\nTOKENPAIR_SIGNING_KEY_FILE=data\/signing.key\n/,
    );
    expect(output).not.toContain(read(folder, "data/signing.key").trim());
    expect(output).toMatch(/npm install tokenpair pg/);
    expect(output).toContain("Set TOKENPAIR_DATABASE_URL in .env to your database.");
  });

  it("changes nothing when it runs again", async () => {
    const folder = createProject();
    await init(folder, "next");
    const before = readAll(folder);
    const output = await init(folder, "next");
    expect(readAll(folder)).toEqual(before);
    expect(output.match(/^(?:Created|Completed|Kept)/gm)).toBeNull();
  });

  it("never overwrites a file, and says which it kept", async () => {
    const folder = createProject();
    mkdirSync(join(folder, "data"));
    const own = {
      "server.ts": "// mine\n",
      "data/signing.key": "a signing key of the operator, long enough to sign\n",
      ".env": "export TOKENPAIR_DATABASE_URL=sqlite:./mine.db",
      ".gitignore": "/data/\n.env*",
    };
    for (const [name, text] of Object.entries(own)) writeFileSync(join(folder, name), text);
    const output = await init(folder, "express");
    expect(read(folder, "server.ts")).toBe(own["server.ts"]);
    expect(read(folder, "data/signing.key")).toBe(own["data/signing.key"]);
    expect(read(folder, ".env")).toBe(
      `${own[".env"]}\nTOKENPAIR_SIGNING_KEY_FILE=data/signing.key\nNODE_ENV=development\n`,
    );
    expect(read(folder, ".gitignore")).toBe("/data/\n.env*\nnode_modules/\n");
    expect(output).toContain("Kept      server.ts (it exists, so it was not changed)");
    expect(output).toContain("Compare server.ts with node_modules/tokenpair/examples/express.ts.");
  });

  it("completes a package.json, and takes the framework from it with --yes", async () => {
    const folder = createProject();
    writeFileSync(join(folder, "package.json"), '{"dependencies": {"fastify": "5", "tokenpair": "0.2"}}');
    const output = await tokenpair(folder, ["init", "--yes"]);
    expect(JSON.parse(read(folder, "package.json"))).toEqual({
      dependencies: { fastify: "5", tokenpair: "0.2" },
      type: "module",
      scripts: { dev: "node --watch server.ts", start: "node server.ts" },
    });
    expect(read(folder, "server.ts")).toContain('from "fastify"');
    expect(output).toContain("  npm install --save-dev typescript @types/node\n");
  });

  it.each([
    ["a CommonJS project", '{"type": "commonjs"}', ["--yes"], /needs "type": "module"/],
    ["a broken package.json", "{", ["--yes"], /package.json is not a JSON object/],
    ["a missing choice without a terminal", "{}", ["--database", "sqlite"], /--framework is missing.*use --yes/],
    [
      "bearer tokens with Next",
      "{}",
      ["--framework", "next", "--front-end", "bearer", "--yes"],
      /its pages read cookies/,
    ],
    ["an unknown framework", "{}", ["--framework", "koa"], /Allowed choices are express, fastify/],
  ] as const)("refuses %s and writes nothing", async (_, manifest, args, message) => {
    const folder = createProject();
    writeFileSync(join(folder, "package.json"), manifest);
    await expect(tokenpair(folder, ["init", ...args])).rejects.toThrow(message);
    expect(Object.keys(readAll(folder))).toEqual(["package.json"]);
  });

  it("puts the code of Next into src/ if the application is there", async () => {
    const folder = createProject();
    mkdirSync(join(folder, "src/app"), { recursive: true });
    writeFileSync(join(folder, "next.config.ts"), "export default {};\n");
    await init(folder, "next");
    const names = Object.keys(readAll(folder));
    expect(names).toContain("src/proxy.ts");
    expect(names).toContain("tokenpair.config.ts");
    expect(names).not.toContain("next.config.mjs");
    run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "."], folder);
  });
});
