import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { childEnvironment } from "../support/child-environment.ts";
import { findFreePort } from "../support/free-port.ts";
import { createFolder } from "./folder.ts";

const main = resolve(import.meta.dirname, "../../src/cli/main.ts");

/** Runs `tokenpair serve` in a process. @returns it with everything that it prints, once it is ready. */
async function start(env: Record<string, string> = {}, args: readonly string[] = []) {
  const cwd = createFolder();
  const child = spawn(process.execPath, [main, "serve", "--port", "0", ...args], {
    cwd,
    env: { ...childEnvironment, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const printed = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => {
    printed.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    printed.stderr += text;
  });
  const closed = once(child, "close");
  while (!printed.stdout.includes("ready")) await Promise.race([once(child.stdout, "data"), closed.then(failStart)]);
  const url = /http:\/\/[^\s"]+/.exec(printed.stdout)?.[0] ?? "";
  return { child, cwd, printed, url, stop };

  function failStart(): never {
    throw new Error(`the server exited: ${printed.stderr}`);
  }

  /** Stops the server, and waits until everything that it printed has arrived. @returns exit code and signal. */
  function stop(): Promise<unknown[]> {
    child.kill("SIGTERM");
    return closed;
  }
}

/** Returns how many lines of the log a server has lost. */
async function readLostLines(printed: { readonly stderr: string }): Promise<number> {
  const metricsUrl = /http:\/\/\S+\/metrics/.exec(printed.stderr)?.[0] ?? "";
  return Number(/^tokenpair_log_lines_lost_total (\d+)$/m.exec(await (await fetch(metricsUrl)).text())?.[1]);
}

/** Returns the last line, which follows the log of the start. */
function toLastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

describe("tokenpair serve", () => {
  it("prints one line when it is ready, and exits with 0 on SIGTERM", async () => {
    const { printed, stop, url } = await start();
    expect(toLastLine(printed.stdout)).toBe(`tokenpair is ready on ${url} (SQLite ./data/tokenpair.db)`);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(await stop()).toEqual([0, null]);
    expect(printed.stderr).toMatch(/^Created a signing key in \S+\/data\/signing\.key \(mode 0600\)\..*\n$/);
  });

  it("warns at start if insecureCookies is on", async () => {
    const warning = "Warning: insecureCookies is on. Cookies are sent over plain http, where others can read them.";
    const readErrors = async (env: Record<string, string>) => {
      const { printed, stop } = await start(env);
      await stop();
      return printed.stderr;
    };
    expect(await readErrors({ TOKENPAIR_INSECURE_COOKIES: "true" })).toContain(warning);
    expect(await readErrors({})).not.toContain("insecureCookies");
  });

  it("says that development cookies are on with --demo, and uses them only then, whatever NODE_ENV is", async () => {
    for (const [args, isOn] of [
      [["--demo"], true],
      [[], false],
    ] as const) {
      const { printed, stop, url } = await start({ NODE_ENV: "development" }, args);
      const [cookie = ""] = (await fetch(`${url}/api/auth/csrf/`)).headers.getSetCookie();
      await stop();
      expect(printed.stderr.includes("Development cookies are on")).toBe(isOn);
      expect(cookie.startsWith(isOn ? "csrftoken=" : "__Host-csrftoken=")).toBe(true);
    }
  });

  it("prints JSON when it is ready, with --json", async () => {
    const { printed, url } = await start({ TOKENPAIR_METRICS_PORT: "0" }, ["--json"]);
    expect(JSON.parse(toLastLine(printed.stdout))).toEqual({
      ready: true,
      url,
      metrics_url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/),
      database: "SQLite ./data/tokenpair.db",
    });
  });

  it("keeps running if the reader of its log ends, says so once on stderr, and counts the lost lines", async () => {
    const { child, printed, stop, url } = await start({ TOKENPAIR_METRICS_PORT: "0" });
    while (!printed.stderr.includes("/metrics")) await once(child.stderr, "data");
    child.stdout.destroy();
    for (let n = 0; n < 3; n++) expect((await fetch(`${url}/nowhere`)).status).toBe(404);
    await expect.poll(() => readLostLines(printed)).toBeGreaterThanOrEqual(2);
    expect(printed.stderr.match(/The log can't be written \(EPIPE\)/g)).toHaveLength(1);
    expect(await stop()).toEqual([0, null]);
  });

  it.runIf(existsSync("/dev/full"))("starts and keeps running if the disk of its log is full", async () => {
    const port = await findFreePort();
    const full = openSync("/dev/full", "w");
    const child = spawn(process.execPath, [main, "serve", "--port", String(port)], {
      cwd: createFolder(),
      env: childEnvironment,
      stdio: ["ignore", full, "pipe"],
    });
    closeSync(full);
    onTestFinished(() => void child.kill("SIGKILL"));
    const errors = text(child.stderr as Readable);
    const status = () => fetch(`http://127.0.0.1:${port}/nowhere`).then((response) => response.status, String);
    await expect.poll(status).toBe(404);
    child.kill("SIGTERM");
    expect(await once(child, "close")).toEqual([0, null]);
    expect((await errors).match(/The log can't be written \(ENOSPC\)/g)).toHaveLength(1);
  });

  it("keeps running if both its log and stderr are closed", async () => {
    const { child, stop, url } = await start();
    child.stdout.destroy();
    child.stderr.destroy();
    for (let n = 0; n < 3; n++) expect((await fetch(`${url}/nowhere`)).status).toBe(404);
    expect(await stop()).toEqual([0, null]);
  });

  it("never prints a password, token, cookie or key, whatever clients send", async () => {
    const signingKey = "planted-signing-key-planted-signing-key";
    const installationSecret = "planted-secret-planted-secret-planted";
    const kek = Buffer.from("planted-key-encryption-key-32-by").toString("base64url");
    const env = {
      TOKENPAIR_SIGNING_KEY: signingKey,
      TOKENPAIR_SECRET: installationSecret,
      TOKENPAIR_KEY_ENCRYPTION_KEY: kek,
      TOKENPAIR_LOG_LEVEL: "debug",
    };
    const { child, cwd, printed, stop, url } = await start(env, ["--demo"]);
    while (!printed.stderr.includes("Log in and try it:")) await once(child.stderr, "data");
    const shown = /password (\S+)/.exec(printed.stderr)?.[1] ?? "";
    const post = (path: string, body: object, headers = {}) =>
      fetch(url + path, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...headers },
        body: JSON.stringify(body),
      });

    const login = await post("/api/token/", { username: "demo", password: shown });
    const { access, refresh } = (await login.json()) as { access: string; refresh: string };
    const rotated = (await (await post("/api/token/refresh/", { refresh })).json()) as { refresh: string };
    await post("/api/token/", { username: "demo", password: "planted-password" });
    await post("/api/token/refresh/", { refresh: `${refresh}x` });
    await post(`/api/token/verify/?token=${access}`, { token: access });
    await fetch(`${url}/api/auth/sessions/${access}/`, { headers: { Authorization: `Bearer ${access}` } });
    await fetch(`${url}/api/auth/me/`, { headers: { Cookie: `__Host-Http-access=${access}; x=planted-cookie` } });
    await fetch(`${url}/api/token/`, { method: "POST", body: `{"password":"planted-password` });
    await post("/api/token/blacklist/", { refresh: rotated.refresh });
    await stop();

    const notice = printed.stderr.indexOf("There were no users");
    const output =
      printed.stdout + printed.stderr.slice(0, notice) + printed.stderr.slice(notice).replaceAll(shown, "");
    expect(output.split("\n").filter((line) => line.includes('"msg":"request"')).length).toBeGreaterThanOrEqual(9);
    const [, accessPayload, accessSignature] = access.split(".");
    const [, refreshPayload, refreshSignature] = refresh.split(".");
    const claims = JSON.parse(Buffer.from(refreshPayload ?? "", "base64url").toString()) as { secret: string };
    const hash = readFileSync(join(cwd, "data/tokenpair.db"), "latin1").match(/\$argon2id\$[^\0]{60,90}/)?.[0];
    const secrets = {
      signingKey,
      installationSecret,
      kek,
      password: "planted-password",
      shown,
      cookie: "planted-cookie",
      hash,
      accessPayload,
    };
    const tokens = { accessSignature, refreshPayload, refreshSignature, secret: claims.secret, next: rotated.refresh };
    for (const [name, secret] of Object.entries({ ...secrets, ...tokens })) {
      expect(secret, name).toMatch(/.{10}/);
      expect(output.includes(secret ?? ""), name).toBe(false);
    }
  });
});
