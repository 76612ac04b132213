/**
 * Drives clients from pages of another origin, in Chromium, against a server with `trustedOrigins`: those of others, which it
 * installs from the lock file beside it, and tokenpair's own.
 *
 * Usage: node test/clients/run.ts [--own], after `npm run build`. With `--own`, it installs nothing.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { build } from "esbuild";
import { openAttacker } from "../browser/attacker.ts";
import { openBrowser } from "../browser/browsers.ts";
import type { Device } from "../browser/device.ts";
import { openNodes } from "../support/nodes.ts";

declare const clients: Readonly<Record<string, (input: object) => Promise<readonly string[]>>>;

const isOwn = process.argv.includes("--own");
const credentials = { username: "alice", password: "correct horse battery staple" };
const wrong = { ...credentials, password: "not this one" };

async function bundle(): Promise<string> {
  if (!isOwn) {
    execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps"], {
      cwd: import.meta.dirname,
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, isOwn ? "own.js" : "page.js")],
    bundle: true,
    format: "esm",
    write: false,
    logLevel: "error",
    alias: { "ra-core": join(import.meta.dirname, "ra-core.js") },
    define: { "process.env.NODE_ENV": '"production"' },
  });
  return outputFiles[0]?.text ?? "";
}

const script = (await bundle()).replaceAll("</script", "<\\/script");
const pages = await openAttacker();
const url = pages.serve("localhost", `<!doctype html><title>client</title><script type="module">${script}</script>`);
const { origin, pathname } = new URL(url);
const env = { TOKENPAIR_TRUSTED_ORIGINS: origin };
const nodes = await openNodes({ database: "SQLite", servers: 1, env });
await nodes.addUser(credentials.username, credentials.password);
const api = `http://localhost:${nodes.servers[0]?.port}`;
const browser = await openBrowser();

/** Runs one of the page's functions in a new tab. */
async function run(device: Device, name: string, from = url, isOffline = false): Promise<void> {
  const page = await device.newPage();
  await page.goto(from);
  await device.setOffline?.(isOffline);
  const input = { name, input: { api, credentials, wrong } };
  const steps = await page.evaluate((given) => clients[given.name]?.(given.input) ?? [], input);
  await page.close();
  await device.setOffline?.(false);
  if (steps.length === 0) throw new Error(`${name} did nothing`);
  for (const step of steps) console.log(`  ${name}: ${step}`);
  console.log(`clients: ${name}: ${steps.length} steps`);
}

try {
  const names = ["ra-data-django-rest-framework", "axios-auth-refresh", "cookies", "bearer"];
  const device = await browser.device();
  for (const name of isOwn ? names.slice(2) : names) await run(device, name);
  await run(device, "offline", url, true);
  await run(device, "restarted");
  await run(device, "untrusted", `http://attacker.example:${new URL(origin).port}${pathname}`);
} finally {
  await browser.close();
  await nodes.close();
  await pages.close();
}
