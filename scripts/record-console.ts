/**
 * Records the pictures of the console for docs/console.md: it starts `serve --console` with a new database, lets some users log in, and
 * lets one refresh token be used twice. It writes the page of that user, in light and dark colors, to docs/images/.
 *
 * Usage: npm run build && node scripts/record-console.ts
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { findChromium } from "../test/browser/executable.ts";
import { childEnvironment } from "../test/support/child-environment.ts";
import { startServer } from "../test/support/server-process.ts";
import { toStill } from "./record-demo/animation.ts";
import { readPng } from "./record-demo/png.ts";

const images = resolve(import.meta.dirname, "../docs/images");
const main = resolve(import.meta.dirname, "../dist/cli/main.js");
const password = "correct horse battery staple";

const phone =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1";
const laptop = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0.0.0 Safari/537.36";
const office = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0";

const cwd = mkdtempSync(join(tmpdir(), "tokenpair-console-"));
// The addresses of the examples come from a proxy on this machine. A copy of a token passes as a retry for a second only.
const env = { TOKENPAIR_TRUSTED_PROXIES: "127.0.0.1", TOKENPAIR_REUSE_INTERVAL: "1" };
const server = await startServer({ cwd, main, env, args: ["--console"] });
const browser = await chromium.launch({
  executablePath: await findChromium(),
  args: ["--no-sandbox", "--disable-gpu"],
});
try {
  for (const [name, ...options] of [["ada", "--role", "admin"], ["grace"]]) {
    const create = ["users", "create", name ?? "", "--email", `${name}@example.com`, "--password-stdin", ...options];
    spawnSync(process.execPath, [main, ...create], { cwd, input: password, env: { ...childEnvironment, ...env } });
  }
  const stolen = await logIn(office, "203.0.113.9");
  await logIn(phone, "198.51.100.7");
  await logIn(laptop, "198.51.100.7");
  await send("/api/token/", { username: "grace", password: "a guess" }, office, "203.0.113.9");
  for (const agent of [office, "curl/8.14"]) {
    await send("/api/token/refresh/", { refresh: stolen }, agent, "203.0.113.9");
    // The interval is counted in whole seconds.
    await sleep(2_100);
  }
  for (const colorScheme of ["light", "dark"] as const) await record(colorScheme);
} finally {
  await browser.close();
  await server.stop();
  rmSync(cwd, { recursive: true, force: true });
}

async function logIn(agent: string, ip: string): Promise<string> {
  const response = await send("/api/token/", { username: "grace", password }, agent, ip);
  return ((await response.json()) as { readonly refresh: string }).refresh;
}

function send(path: string, body: unknown, agent: string, ip: string): Promise<Response> {
  return fetch(new URL(path, server.url), {
    method: "POST",
    headers: { "Content-Type": "application/json", "User-Agent": agent, "X-Forwarded-For": ip },
    body: JSON.stringify(body),
  });
}

async function record(colorScheme: "light" | "dark"): Promise<void> {
  const page = await browser.newPage({
    ...{ viewport: { width: 1100, height: 900 }, colorScheme, reducedMotion: "reduce" },
  });
  await page.goto(`http://localhost:${server.port}/console/users/2`);
  await page.getByLabel("Username").fill("ada");
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { level: 1, name: "grace" }).waitFor();
  await page.getByText("reuse detected").first().waitFor();
  const file = toStill(readPng(await page.screenshot()));
  writeFileSync(join(images, `console-${colorScheme}.png`), file);
  console.log(`docs/images/console-${colorScheme}.png: ${file.length} bytes`);
  await page.context().close();
}
