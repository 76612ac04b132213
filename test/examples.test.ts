import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { childEnvironment } from "./support/child-environment.ts";
import { post, toPair } from "./support/wire.ts";

const examples = resolve(import.meta.dirname, "../examples");
const frameworks = ["express", "fastify", "hono", "node"];

describe("the examples", () => {
  let cwd: string;
  let running: ChildProcess | undefined;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), "tokenpair-"));
  });
  afterEach(async () => {
    if (running?.exitCode === null) {
      running.kill();
      await once(running, "exit");
    }
    rmSync(cwd, { recursive: true, force: true });
  });

  async function start(name: string): Promise<string> {
    running = spawn(process.execPath, [join(examples, `${name}.ts`)], {
      cwd,
      env: { ...childEnvironment, PORT: "0", SIGNING_KEY: randomBytes(48).toString("hex") },
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (running.stdout === null) throw new Error("no output");
    let seen = "";
    for await (const line of createInterface({ input: running.stdout })) {
      seen += line;
      const port = /port: (\d+)/.exec(seen)?.[1];
      if (port !== undefined) return `http://localhost:${port}`;
    }
    throw new Error(`${name} exited before it listened`);
  }

  it("runs every example in the folder", () => {
    const files = readdirSync(examples).filter((name) => name.endsWith(".ts"));
    const names = files.map((name) => name.replace(".ts", ""));
    expect(names.sort()).toEqual([...frameworks, "own-users"].sort());
  });

  it.each(frameworks)(
    "serves the endpoints in the example for %s, and refuses a request without a token",
    async (name) => {
      const url = await start(name);
      expect((await fetch(`${url}/hello`)).status).toBe(401);
      const login = await post(`${url}/api/token/`, { username: "nobody", password: "x" });
      expect([login.status, login.body.code]).toEqual([401, "no_active_account"]);
    },
  );

  it.each(frameworks)("ends with an error in the example for %s if the port is in use", async (name) => {
    const other = createServer().listen(0);
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    running = spawn(process.execPath, [join(examples, `${name}.ts`)], {
      cwd,
      env: { ...childEnvironment, PORT: `${port}` },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let errors = "";
    running.stderr?.on("data", (chunk) => (errors += chunk));
    const [code] = await once(running, "close");
    other.close();
    expect([code, errors]).toEqual([1, expect.stringContaining("EADDRINUSE")]);
  });

  it("logs in with the user table of the example own-users, sends its claims, and ends its stream at a logout", async () => {
    const url = await start("own-users");
    const pair = toPair(await post(`${url}/api/token/`, { username: "ada", password: "analytical engine" }));
    const headers = { Authorization: `Bearer ${pair.access}` };
    expect(await (await fetch(`${url}/role`, { headers })).text()).toBe("editor\n");
    const stream = await fetch(`${url}/clock`, { headers });
    await post(`${url}/api/token/blacklist/`, { refresh: pair.refresh });
    expect(await stream.text()).toMatch(/event: end\s+data: token_revoked|data: token_revoked/);
  });
});
