import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { findFreePort } from "../support/free-port.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";

const root = resolve(import.meta.dirname, "../..");

/** The user and group of the containers and of the Kubernetes manifests. */
const nobody = { uid: 65_534, gid: 65_534 };
const password = "correct horse battery staple";

/** Returns why the test can't run here, or `null`. */
function findObstacle(): string | null {
  if (process.getuid?.() !== 0) return "only root can start a process as another user";
  const { status } = spawnSync(process.execPath, ["--version"], { ...nobody, cwd: "/", env: {} });
  return status === 0 ? null : `the user 65534 can't run ${process.execPath}`;
}

const obstacle = findObstacle();
if (obstacle !== null) console.log(`deploy: the packed package as the user 65534: skipped, because ${obstacle}`);

describe.skipIf(obstacle !== null)("the packed package as in a container: user 65534, read-only, no HOME", () => {
  let folder: string;
  let postgres: PostgresServer;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tokenpair-deploy-"));
    const modules = join(folder, "node_modules");
    mkdirSync(join(modules, "tokenpair"), { recursive: true });
    const packed = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
    const [{ filename }] = JSON.parse(execFileSync("npm", packed, { cwd: root, encoding: "utf8" }));
    execFileSync("tar", ["-xzf", join(folder, filename), "-C", join(modules, "tokenpair"), "--strip-components=1"]);
    for (const name of listPackages()) {
      cpSync(join(root, "node_modules", name), join(modules, name), { recursive: true, dereference: true });
    }
    writeFileSync(join(folder, "signing.key"), "a signing key for tests of at least 32 bytes");
    execFileSync("chmod", ["-R", "a+rX,a-w", folder]);
    chmodSync(folder, 0o555);
    postgres = await startPostgres();
  });
  afterAll(async () => {
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const toEnv = (port: number): Record<string, string> => ({
    PATH: "/usr/bin:/bin",
    NODE_ENV: "production",
    TOKENPAIR_HOST: "0.0.0.0",
    TOKENPAIR_PORT: String(port),
    TOKENPAIR_DATABASE_URL: postgres.url,
    TOKENPAIR_SIGNING_KEY_FILE: join(folder, "signing.key"),
  });

  function start(args: readonly string[], env: Record<string, string>) {
    const main = join(folder, "node_modules/tokenpair/dist/cli/main.js");
    const child = spawn(process.execPath, [main, ...args], { ...nobody, cwd: folder, env });
    onTestFinished(() => void child.kill("SIGKILL"));
    return child;
  }

  async function run(args: readonly string[], env: Record<string, string>, input = "") {
    const child = start(args, env);
    child.stdin.end(input);
    const [out, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    return { out, errors, code };
  }

  it.each([["1"], ["2"]])(
    "serves over PostgreSQL with %s workers, says that it is ready, and stops",
    async (workers) => {
      const port = await findFreePort();
      const env = { ...toEnv(port), TOKENPAIR_WORKERS: workers };
      expect(await run(["healthcheck"], env)).toMatchObject({
        code: 1,
        errors: expect.stringContaining("no server answers"),
      });
      const server = start(["serve"], env);
      const printed = { out: "", errors: "" };
      server.stdout.setEncoding("utf8").on("data", (chunk) => {
        printed.out += chunk;
      });
      server.stderr.setEncoding("utf8").on("data", (chunk) => {
        printed.errors += chunk;
      });
      await expect.poll(() => printed.out + printed.errors).toContain("tokenpair is ready on");
      expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
      // Without --wait, the command gives up after 5 s, which a pause of a busy machine can exceed.
      const wait = ["--wait", "60"];
      expect(await run(["healthcheck", ...wait], env)).toEqual({ out: "ok\n", errors: "", code: 0 });
      expect(await run(["healthcheck", "--live", ...wait], env)).toMatchObject({ out: "ok\n", code: 0 });

      const name = `alice${workers}`;
      expect((await run(["users", "create", name, "--password-stdin"], env, `${password}\n`)).code).toBe(0);
      const login = await fetch(`http://127.0.0.1:${port}/api/token/`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ username: name, password }),
      });
      expect(login.status).toBe(200);
      expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
      server.kill("SIGTERM");
      expect(await once(server, "exit")).toEqual([0, null]);
      expect(printed.errors).not.toMatch(/EACCES|EROFS|EPERM/);
    },
  );

  it("says that the folder can't be written to if it is to create a SQLite database there", async () => {
    const { TOKENPAIR_DATABASE_URL: _, ...env } = toEnv(0);
    const { code, errors } = await run(["serve"], env);
    expect(code).toBe(1);
    expect(errors).toMatch(/^tokenpair: .*data/);
    expect(errors).not.toContain("    at ");
  });
});

/** Returns the packages that an installation of tokenpair and pg has. */
function listPackages(): readonly string[] {
  const { packages }: { packages: Record<string, { dev?: boolean; devOptional?: boolean }> } = JSON.parse(
    readFileSync(join(root, "package-lock.json"), "utf8"),
  );
  const ofPg = /^(?:pg|pg-[\w-]+|pgpass|postgres-[\w-]+|split2|xtend)$/;
  return Object.entries(packages)
    .map(([path, entry]) => ({ name: path.replace("node_modules/", ""), ...entry }))
    .filter(({ name }) => /^(?:@[^/]+\/)?[^/@]+$/.test(name))
    .filter(({ name, dev, devOptional }) => ofPg.test(name) || (!dev && !devOptional))
    .map(({ name }) => name)
    .filter((name) => name !== "" && spawnSync("test", ["-d", join(root, "node_modules", name)]).status === 0);
}
