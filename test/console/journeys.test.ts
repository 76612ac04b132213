import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../browser/until.ts";
import { findBarriers } from "./barriers.ts";
import { type ConsoleSite, hostileName, openConsoleSite, password, strangeNames } from "./console-site.ts";
import { giveReason, isFocused, press, seeDialog, seeMessage, seeNoDialog, tabTo, type } from "./keyboard.ts";
import { countActions, endConfirmation, logInAs, openChromium, seePage } from "./staff.ts";

describe("the console, by keyboard", () => {
  let site: ConsoleSite;
  let browser: Browser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openConsoleSite(), openChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it("revokes the sessions of a stolen laptop in four actions from the overview, and says that it is confirmed", async () => {
    const page = await logInAs(browser, site, "ada");
    await seePage(page, "Overview");
    expect(await site.countSessions("grace")).toBe(3);
    await page.evaluate(countActions);
    // 1: go to the users.
    await press(page, "Users", "link");
    await seePage(page, "Users");
    // 2: find the user.
    await type(page, "Search", "gra");
    await until(async () => (await page.locator("tbody tr").count()) === 1);
    await page.keyboard.press("Enter");
    await seePage(page, "grace");
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
    // 3: choose what to do.
    await press(page, /^Log out everywhere/);
    await seeDialog(page, /^Log out grace/);
    // 4: say why.
    await giveReason(page, "laptop stolen, ticket 4411");
    await seeMessage(page, "3 sessions of grace revoked.");
    await seeMessage(page, "Every node has confirmed it.");
    expect(await page.evaluate(() => (globalThis as unknown as { readonly actions: number }).actions)).toBe(4);
    expect(await site.countSessions("grace")).toBe(0);
    await seeNoDialog(page);
    await until(() => isFocused(page, /^Log out everywhere/));
    const [entry] = (await site.readAudit("sessions_revoked")).filter(({ userId }) => userId === site.idOf("grace"));
    expect(entry).toMatchObject({ actor: "staff/ada", note: "laptop stolen, ticket 4411" });
    expect(await findBarriers(page)).toEqual([]);
    await page.context().close();
  });

  it("asks for the password again if the login is more than ten minutes old, and keeps the reason", async () => {
    const page = await logInAs(browser, site, "ada", { path: `users/${site.idOf("linus")}` });
    await seePage(page, "linus");
    await endConfirmation(site, page, "ada");
    await page.reload();
    await seePage(page, "linus");
    await tabTo(page, "button", "Disable…");
    await page.keyboard.press("Enter");
    await seeDialog(page, /^Disable/);
    await type(page, "Reason", "left the company");
    await page.keyboard.press("Tab");
    await page.keyboard.type("not my password");
    await page.keyboard.press("Enter");
    await page.getByText("The password is wrong.").waitFor();
    expect(await findBarriers(page)).toEqual([]);
    expect(await page.getByLabel("Reason").inputValue()).toBe("left the company");
    await page.getByLabel("Your password").fill(password);
    await page.keyboard.press("Enter");
    await page.getByText("linus is disabled.").first().waitFor();
    await page.getByText(/^Confirmed · /).waitFor();
    await page.getByText("disabled", { exact: true }).first().waitFor();
    await page.context().close();
  });

  it("opens, moves in and closes a menu, and gives the focus back", async () => {
    const page = await logInAs(browser, site, "ada", { path: "users" });
    await seePage(page, "Users");
    await tabTo(page, "button", "Actions for sam");
    await page.keyboard.press("ArrowDown");
    await until(() => isFocused(page, "Log out everywhere…"));
    await page.keyboard.press("ArrowUp");
    expect(await isFocused(page, "Disable…")).toBe(true);
    await page.keyboard.press("ArrowDown");
    expect(await isFocused(page, "Log out everywhere…")).toBe(true);
    await page.keyboard.press("u");
    expect(await isFocused(page, "Unlock…")).toBe(true);
    await page.keyboard.press("End");
    expect(await isFocused(page, "Disable…")).toBe(true);
    await page.keyboard.press("Escape");
    expect(await isFocused(page, "Actions for sam")).toBe(true);
    expect(await page.getByRole("menu").count()).toBe(0);
    await page.keyboard.press("Enter");
    await page.getByRole("menu").waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("alertdialog", { name: "Log out sam everywhere?" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("alertdialog").waitFor({ state: "detached" });
    await until(() => isFocused(page, "Actions for sam"));
    await page.context().close();
  });

  it("skips to the content, and keeps filters in the address, over a reload and back", async () => {
    const page = await logInAs(browser, site, "sam", { path: "users" });
    await seePage(page, "Users");
    // After the login, the heading has the focus. A page that is opened begins at its start.
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
    await page.reload();
    await seePage(page, "Users");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
    await page.getByLabel("State").selectOption("Disabled");
    await until(async () => (await page.locator("tbody tr").count()) < 4);
    expect(new URL(page.url()).search).toBe("?is_active=false");
    await page.reload();
    await seePage(page, "Users");
    expect(await page.getByLabel("State").inputValue()).toBe("false");
    await page.goBack();
    await until(async () => (await page.locator("tbody tr").count()) > 4);
    expect(await page.getByLabel("State").inputValue()).toBe("");
    await page.context().close();
  });

  it.each(strangeNames)("shows the name %s as text, wherever it is", async (name) => {
    const page = await logInAs(browser, site, "ada", {
      path: `users/${site.idOf(name)}`,
      viewport: { width: 320, height: 700 },
    });
    await seePage(page, name);
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole("button", { name: "Log out everywhere…" }).click();
    await page.getByRole("alertdialog").waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.getByLabel("Reason").fill(`${name} ${hostileName}`.slice(0, 400));
    await page.keyboard.press("Enter");
    await page.getByText("revoked.").first().waitFor();
    expect(await findBarriers(page)).toEqual([]);
    expect(await page.title()).toBe(`${name} · tokenpair console`);
    await page.context().close();
  });

  it("follows the audit log, and moves nothing that is being read", async () => {
    const page = await logInAs(browser, site, "vera", { path: "audit", viewport: { width: 1280, height: 300 } });
    await seePage(page, "Audit log");
    await page.getByText("Following.").waitFor();
    await page.evaluate(() => scrollTo(0, 200));
    await site.nodes.auth.login(
      { username: "edsger", password },
      { client: { ip: "192.0.2.77", userAgent: "curl/8.5" } },
    );
    await page.getByText(/new\./).waitFor();
    expect(await page.getByText("192.0.2.77").count()).toBe(0);
    await page.getByRole("button", { name: /^Show/ }).click();
    await page.getByText("192.0.2.77, curl").first().waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.context().close();
  });

  it("tells the victim of a revocation why, while the page is open", async () => {
    const [staff, victim] = await Promise.all([
      logInAs(browser, site, "ada", { path: `users/${site.idOf("vera")}` }),
      logInAs(browser, site, "vera", { path: "sessions" }),
    ]);
    await seePage(staff, "vera");
    await staff.getByRole("button", { name: "Log out everywhere…" }).click();
    await staff.getByLabel("Reason").fill("two browsers");
    await staff.keyboard.press("Enter");
    await victim.getByText("This device was logged out remotely. Please log in again.").waitFor();
    await victim.getByRole("heading", { name: "Log in" }).waitFor();
    expect(await victim.getByRole("table").count()).toBe(0);
    expect(await findBarriers(victim)).toEqual([]);
    await Promise.all([staff.context().close(), victim.context().close()]);
  });

  it("says that there is no connection and shows what it knows, until there is one", async () => {
    const page = await logInAs(browser, site, "vera", { path: "users" });
    await seePage(page, "Users");
    await page.context().setOffline(true);
    await page.getByLabel("Role").selectOption("Admin");
    await page.getByRole("button", { name: "Try again" }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.context().setOffline(false);
    await page.getByRole("button", { name: "Try again" }).click();
    await until(async () => (await page.locator("tbody tr").count()) === 1);
    await page.context().close();
  });

  it("exports the audit log to a file", async () => {
    const page = await logInAs(browser, site, "ada", { path: "audit?type=login_failed" });
    await seePage(page, "Audit log");
    await page.getByRole("button", { name: "Export…" }).click();
    await page.getByRole("menuitem", { name: "CSV" }).click();
    await page.getByRole("alertdialog").waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Export", exact: true }).click(),
    ]);
    const text = readFileSync(await download.path(), "utf8");
    expect(download.suggestedFilename()).toBe("audit.csv");
    expect(text).toContain("login_failed");
    expect(await findBarriers(page)).toEqual([]);
    await page.context().close();
  });
});
