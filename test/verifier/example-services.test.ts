import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findFreePort } from "../support/free-port.ts";
import { readOutput } from "../support/run-command.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { waitUntil } from "../support/wait-until.ts";
import { post, toPair } from "../support/wire.ts";
import { findPython, hasPhp, isThere } from "./languages.ts";

const examples = resolve(import.meta.dirname, "../../examples/verifier");
const python = findPython();

/** The examples, as the command that starts a service. PHP reads a file, which the test writes as the sidecar does. */
const services = [
  {
    name: "python",
    lacks: python === undefined && "python3 with python3-jwt",
    toCommand: () => [python ?? "", "app.py"],
    readsFile: false,
  },
  {
    name: "go",
    lacks: !isThere("go", "version") && "go",
    toCommand: (folder: string) => [join(folder, "service")],
    readsFile: false,
  },
  {
    name: "php",
    lacks: !hasPhp() && "php-cli",
    toCommand: (_: string, port: number) => ["php", "-S", `127.0.0.1:${port}`, "index.php"],
    readsFile: true,
  },
] as const;

const alice = { username: "alice", password: "correct horse battery staple" };

describe.each(services)("the example service in $name", ({ name, lacks, toCommand, readsFile }) => {
  let folder: string;
  let env: Record<string, string>;
  let issuer: ServerProcess | undefined;
  let service: ChildProcess | undefined;
  let url: string;
  let credential: string;
  let file: string;

  const run = (args: readonly string[], stdin = "") => readOutput(args, { directory: folder, env, stdin });

  const startIssuer = async (port: number) => {
    issuer = await startServer({ cwd: folder, port, env });
  };

  beforeAll(async () => {
    if (lacks !== false) return;
    folder = mkdtempSync(join(tmpdir(), "tokenpair-"));
    const port = await findFreePort();
    const issuerUrl = `http://127.0.0.1:${port}`;
    env = { TOKENPAIR_ISSUER: issuerUrl, TOKENPAIR_AUDIENCE: "api" };
    env["TOKENPAIR_SIGNING_KEY"] = await run(["keys", "generate"]);
    await startIssuer(port);
    await run(["users", "create", alice.username, "--password-stdin"], alice.password);
    ({ credential } = JSON.parse(await run(["services", "create", "orders", "--scope", "feed", "--json"])));

    const cwd = join(examples, name);
    if (name === "go") execFileSync("go", ["build", "-o", folder, "./cmd/service"], { cwd });
    const own = await findFreePort();
    url = `http://127.0.0.1:${own}/`;
    const { TOKENPAIR_SIGNING_KEY: _, ...known } = env;
    file = join(folder, "revocations");
    const [program = "", ...args] = toCommand(folder, own);
    service = spawn(program, args, {
      cwd,
      env: {
        ...process.env,
        ...known,
        TOKENPAIR_FEED_CREDENTIAL: credential,
        TOKENPAIR_FEED_FILE: file,
        PORT: String(own),
        PYTHONDONTWRITEBYTECODE: "1",
      },
      stdio: "ignore",
    });
  });
  afterAll(async () => {
    if (service !== undefined && service.exitCode === null) {
      service.kill();
      await once(service, "exit");
    }
    await issuer?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const logIn = async () => toPair(await post(`${issuer?.url}/api/token/`, alice));
  const revoke = (refresh: string) => post(`${issuer?.url}/api/token/blacklist/`, { refresh });
  async function present(token?: string): Promise<Response> {
    if (readsFile) await writeFeedFile();
    return fetch(url, token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } });
  }

  /** Does what the sidecar does. Leaves the files alone if the issuer doesn't answer. */
  async function writeFeedFile(): Promise<void> {
    const headers = { Authorization: `Bearer ${credential}` };
    const read = async (path: string) => {
      const response = await fetch(`${issuer?.url}${path}`, { headers }).catch(() => null);
      return response?.status === 200 ? new Uint8Array(await response.arrayBuffer()) : null;
    };
    const keys = await read("/.well-known/jwks.json");
    const frame = await read("/api/auth/revocations/");
    if (keys === null || frame === null) return;
    writeFileSync(`${file}.jwks.json`, keys);
    writeFileSync(`${file}.new`, frame);
    renameSync(`${file}.new`, file);
  }

  const becomes = (status: number, token: string) =>
    waitUntil(`the service answers ${status}`, async () => {
      const response = await present(token).catch(() => null);
      return response?.status === status;
    });

  it("answers 200, 401 and, for a logged-out user, 401 again", async (context) => {
    context.skip(lacks !== false, `this machine lacks ${lacks}`);
    const [first, second] = [await logIn(), await logIn()];
    await becomes(200, first.access);
    expect(await (await present(first.access)).json()).toEqual({ user: "1" });

    const without = await present();
    expect([without.status, without.headers.get("WWW-Authenticate")]).toEqual([401, 'Bearer realm="api"']);
    const forged = await present(`${first.access.slice(0, -8)}AAAAAAAA`);
    expect(forged.status).toBe(401);
    expect(forged.headers.get("WWW-Authenticate")).toBe('Bearer realm="api", error="invalid_token"');

    await revoke(first.refresh);
    await becomes(401, first.access);
    expect(await (await present(first.access)).json()).toMatchObject({
      messages: [{ message: "Token is blacklisted" }],
    });
    expect((await present(second.access)).status).toBe(200);
  });

  it("confirms a revocation by its acknowledgement", async (context) => {
    context.skip(lacks !== false, `this machine lacks ${lacks}`);
    context.skip(readsFile, "the sidecar acknowledges");
    const { access } = await logIn();
    await becomes(200, access);
    const { confirmed } = JSON.parse(await run(["sessions", "revoke", "--user", alice.username, "--yes", "--json"]));
    expect(confirmed).toBe("acks");
    expect((await present(access)).status).toBe(401);
  });

  it("continues with the feed after a restart of the issuer", async (context) => {
    context.skip(lacks !== false, `this machine lacks ${lacks}`);
    const before = await logIn();
    await becomes(200, before.access);
    const { port = 0 } = issuer ?? {};
    await issuer?.kill();
    expect((await present(before.access)).status).toBe(200);
    await startIssuer(port);
    const after = await logIn();
    await revoke(before.refresh);
    await becomes(401, before.access);
    await becomes(200, after.access);
  });
});
