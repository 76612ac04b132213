/**
 * Records the pictures of the demonstration for the README: it starts `serve --demo` with a new database, plays the script
 * "Attacker comes late" in headless Chromium, and writes animated PNGs, which GitHub shows, and stills to docs/images/.
 *
 * Usage: npm run build && node scripts/record-demo.ts
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium, type Page } from "playwright-core";
import { findChromium } from "../test/browser/executable.ts";
import { startServer } from "../test/support/server-process.ts";
import { type Frame, toAnimation, toStill } from "./record-demo/animation.ts";
import { readPng } from "./record-demo/png.ts";

const images = resolve(import.meta.dirname, "../docs/images");
const main = resolve(import.meta.dirname, "../dist/cli/main.js");

/** How often a frame is taken, and how long the last one is shown, in milliseconds. */
const interval = 400;
const lastDuration = 8_000;

/** The largest animation, in bytes. */
const limit = 1_000_000;

for (const colorScheme of ["light", "dark"] as const) await record(colorScheme);

async function record(colorScheme: "light" | "dark"): Promise<void> {
  const cwd = mkdtempSync(join(tmpdir(), "tokenpair-demo-"));
  const server = await startServer({ cwd, main, env: {}, args: ["--demo"] });
  const browser = await chromium.launch({
    executablePath: await findChromium(),
    args: ["--no-sandbox", "--disable-gpu"],
  });
  try {
    const viewport = { width: 1040, height: 960 };
    const page = await browser.newPage({ viewport, colorScheme, reducedMotion: "reduce" });
    await page.goto(`http://localhost:${server.port}`);
    await page.getByLabel("Username").fill("demo");
    await page.getByLabel("Password", { exact: true }).fill(/password (\S+)/.exec(server.errors())?.[1] ?? "");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("log").getByText("Logged in").waitFor();
    await page.mouse.move(0, 0);
    const frames = await play(page);
    const animation = toAnimation(frames);
    if (animation.length > limit) throw new Error(`the animation has ${animation.length} bytes`);
    write(`demo-${colorScheme}.png`, animation);
    const last = frames.at(-1);
    if (last !== undefined) write(`demo-end-${colorScheme}.png`, toStill(last.picture));
  } finally {
    await browser.close();
    await server.stop();
    rmSync(cwd, { recursive: true, force: true });
  }
}

async function play(page: Page): Promise<readonly Frame[]> {
  const shots: { readonly file: Buffer; readonly at: number }[] = [];
  const shoot = async () => {
    const file = await page.screenshot();
    if (!shots.at(-1)?.file.equals(file)) shots.push({ file, at: performance.now() });
  };
  await shoot();
  await sleep(1_500);
  await page.getByRole("button", { name: "Attacker comes late" }).click();
  await page.mouse.move(0, 0);
  while (!(await page.getByRole("log").getByText("Logged out", { exact: true }).isVisible())) {
    await shoot();
    await sleep(interval);
  }
  await page.getByText("got nothing").waitFor();
  await sleep(500);
  await shoot();
  return shots.map(({ file, at }, index) => ({
    picture: readPng(file),
    duration: (shots[index + 1]?.at ?? at + lastDuration) - at,
  }));
}

function write(name: string, file: Buffer): void {
  writeFileSync(join(images, name), file);
  console.log(`docs/images/${name}: ${file.length} bytes`);
}
