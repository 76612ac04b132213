import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasLongTests } from "../support/long-tests.ts";
import { findBarriers } from "./barriers.ts";
import { type ConsoleSite, openConsoleSite } from "./console-site.ts";
import { logInAs, openChromium, openPage, seePage } from "./staff.ts";

const allColors = [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["forced", { forcedColors: "active" }],
] as const;

/** All colors take a minute: `npm run proof -- console`. */
const colors = hasLongTests ? allColors : allColors.slice(0, 1);

describe("every page of the console", () => {
  let site: ConsoleSite;
  let browser: Browser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openConsoleSite(), openChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  const pages = (): readonly (readonly [path: string, heading: string])[] => [
    ["", "Overview"],
    ["users", "Users"],
    ["users?search=zzz", "Users"],
    [`users/${site.ids.get("grace")}`, "grace"],
    ["users/999999", "No such user"],
    ["sessions", "Sessions"],
    ["sessions?ip=203.0.113.0%2F24&state=ended", "Sessions"],
    ["audit", "Audit log"],
    ["keys", "Keys"],
    ["health", "Health"],
    ["nowhere", "Page not found"],
  ];

  it.each(colors)("has no barriers in %s colors, at 1280 and at 320 pixels", async (_, options) => {
    const page = await logInAs(browser, site, "ada", options);
    for (const [path, heading] of pages()) {
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.goto(`${site.url}${path}`);
      await seePage(page, heading);
      expect(await findBarriers(page), `${path} at 1280`).toEqual([]);
      await page.setViewportSize({ width: 320, height: 700 });
      expect(await findBarriers(page), `${path} at 320`).toEqual([]);
      expect(await page.title()).toBe(`${heading} · tokenpair console`);
    }
    await page.context().close();
  });

  it.each(colors)("has no barriers in its login, menu, dialog and toast, in %s colors", async (_, options) => {
    const anonymous = await openPage(browser, options);
    await anonymous.goto(site.url);
    await anonymous.getByLabel("Username").waitFor();
    expect(await findBarriers(anonymous)).toEqual([]);
    await anonymous.context().close();

    const page = await logInAs(browser, site, "ada", { ...options, path: "users" });
    await seePage(page, "Users");
    for (const width of [1280, 320]) {
      await page.setViewportSize({ width, height: 800 });
      await page.getByRole("button", { name: "Actions for grace" }).click();
      await page.getByRole("menuitem", { name: "Unlock…" }).waitFor();
      expect(await findBarriers(page), `menu at ${width}`).toEqual([]);
      await page.getByRole("menuitem", { name: "Unlock…" }).click();
      await page.getByRole("alertdialog", { name: "Unlock grace?" }).waitFor();
      await page.getByRole("button", { name: "Unlock grace" }).click();
      await page.getByText("Say why.").waitFor();
      expect(await findBarriers(page), `dialog at ${width}`).toEqual([]);
      await page.getByLabel("Reason").fill("a test");
      await page.keyboard.press("Enter");
      await page.getByText("grace is unlocked.").first().waitFor();
      await page.getByRole("alertdialog").waitFor({ state: "detached" });
      // The message stays for as long as the pointer is on it.
      await page.locator(".toast").first().hover();
      expect(await findBarriers(page), `toast at ${width}`).toEqual([]);
      // Hidden from assistive technology until the messages have the focus, by F6.
      await page.keyboard.press("F6");
      await page.getByRole("button", { name: "Dismiss" }).first().click();
    }
    await page.context().close();
  });

  it("notices barriers: an image without a text, a style that the policy forbids, a wide box, a second h1, a small button", async () => {
    const page = await logInAs(browser, site, "vera", { path: "users" });
    await seePage(page, "Users");
    await page.evaluate(() => {
      const image = document.createElement("img");
      image.setAttribute("style", "color: red");
      const wide = document.createElement("div");
      wide.style.width = "3000px";
      wide.append("wide");
      const small = document.createElement("button");
      small.style.minHeight = "0";
      small.style.height = "10px";
      small.append("x");
      document.querySelector("main")?.append(image, wide, document.createElement("h1"), small);
    });
    const found = (await findBarriers(page)).map((text) => text.split(":")[0]);
    for (const kind of ["image-alt", "policy", "scrolls sideways", "not one h1", "small target"]) {
      expect(found).toContain(kind);
    }
    await page.context().close();
  });

  it("works with text at twice its size in a small window", async () => {
    const page = await logInAs(browser, site, "ada", { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 });
    for (const [path, heading] of pages()) {
      await page.goto(`${site.url}${path}`);
      await seePage(page, heading);
      expect(await findBarriers(page), path).toEqual([]);
    }
    await page.context().close();
  });

  it("doesn't scroll sideways with letters of twice the size", async () => {
    await site.addUser("reader", "viewer");
    for (const width of [1280, 640]) {
      const page = await logInAs(browser, site, "reader", { viewport: { width, height: 800 } });
      for (const [path, heading] of pages()) {
        await page.goto(`${site.url}${path}`);
        await seePage(page, heading);
        await page.evaluate(() => document.documentElement.style.setProperty("font-size", "200%"));
        expect(await findBarriers(page), `${path} at ${width}`).toEqual([]);
      }
      await page.context().close();
    }
  });

  it.each([
    ["nothing for people who prefer that", "reduce", false],
    ["a dialog for others", "no-preference", true],
  ] as const)("moves %s", async (_, reducedMotion, moves) => {
    const page = await logInAs(browser, site, "ada", { path: "users", reducedMotion });
    await seePage(page, "Users");
    await page.getByRole("button", { name: "Create user…" }).click();
    await page.getByRole("alertdialog").waitFor();
    expect((await readMovements(page)).length > 0).toBe(moves);
    await page.context().close();
  });

  it("shows a viewer no button that changes something", async () => {
    const page = await logInAs(browser, site, "vera", { path: `users/${site.ids.get("grace")}` });
    await seePage(page, "grace");
    const buttons = await page.getByRole("button").allTextContents();
    expect(buttons.filter((text) => text.endsWith("…"))).toEqual([]);
    await page.goto(`${site.url}users`);
    await seePage(page, "Users");
    expect(await page.getByRole("checkbox").count()).toBe(0);
    await page.context().close();
  });

  it("says to users without a role that the console is for staff", async () => {
    const page = await openPage(browser);
    await page.goto(site.url);
    await page.getByLabel("Username").fill("edsger");
    await page.getByLabel("Password").fill("correct horse battery staple");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "This console is for staff" }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByText("You are logged out.").waitFor();
    await page.context().close();
  });
});

/** Returns the transitions and animations that move something. */
function readMovements(page: Page): Promise<readonly string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll("*")]
      .filter((element) => {
        const { transitionDuration, transitionProperty } = getComputedStyle(element);
        return transitionProperty !== "all" && transitionDuration.split(", ").some((duration) => duration !== "0s");
      })
      .map((element) => element.className),
  );
}
