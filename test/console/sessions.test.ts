import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { until } from "../browser/until.ts";
import { verifyAccess } from "../support/wire.ts";
import { findBarriers } from "./barriers.ts";
import { password } from "./console-site.ts";
import { choose, giveReason, press, seeDialog, seeMessage, seeNoDialog, tabTo, type } from "./keyboard.ts";
import { seePage } from "./staff.ts";
import { useConsole } from "./use-console.ts";

const rows = (page: Page) => page.locator("tbody tr");

describe("the lists of sessions and of the audit log, by keyboard", () => {
  const scene = useConsole();
  const from = (ip: string) => ({ client: { ip, userAgent: "curl/8.5" } });

  it("revokes all sessions that match, but none if many more match by then", async () => {
    const { site } = scene;
    await site.addUser("katherine");
    const logIn = (count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, n) =>
          site.nodes.auth.login({ username: "katherine", password }, from(`192.0.2.${n + 1}`)),
        ),
      );
    await logIn(3);
    const page = await scene.open("ada", "sessions?ip=192.0.2.0%2F24", "Sessions");
    await until(async () => (await rows(page).count()) === 3);
    await press(page, /^Revoke all that match/);
    await seeDialog(page, /^Revoke all sessions that match/);
    await giveReason(page, "a stolen network");
    await seeDialog(page, /^Revoke 3 sessions/);
    // A second Enter by mistake must not revoke.
    await page.keyboard.press("Enter");
    expect(await findBarriers(page)).toEqual([]);
    expect(await page.getByLabel("Reason").inputValue()).toBe("a stolen network");
    await logIn(4);
    await tabTo(page, "button", /^Revoke 3 sessions/);
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "7 sessions match now, not 3" }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    expect(await site.countSessions("katherine")).toBe(7);
    await page.keyboard.press("Escape");
    await seeNoDialog(page);
    // Counted again.
    await press(page, /^Revoke all that match/);
    await seeDialog(page, /^Revoke all sessions that match/);
    await giveReason(page, "a stolen network");
    await seeDialog(page, /^Revoke 7 sessions/);
    await tabTo(page, "button", /^Revoke 7 sessions/);
    await page.keyboard.press("Enter");
    await seeMessage(page, /^7 sessions revoked/);
    await seeMessage(page, "Every node has confirmed it.");
    expect(await site.countSessions("katherine")).toBe(0);
    await page.getByText("No session matches.").waitFor();
    expect(await findBarriers(page)).toEqual([]);
    // The others are still there.
    expect(await site.countSessions("grace")).toBe(3);
  });

  it("finds the sessions of a user by name, in any case, by id, and none of an unknown user", async () => {
    const { site } = scene;
    const page = await scene.open("vera", "sessions", "Sessions");
    await type(page, "User", "GRACE");
    await until(async () => (await rows(page).count()) === 3);
    expect(await rows(page).getByRole("link").allTextContents()).toEqual(["grace", "grace", "grace"]);
    const field = page.getByLabel("User", { exact: true });
    await field.fill(site.idOf("linus"));
    await until(async () => (await rows(page).getByRole("link").allTextContents()).includes("linus"));
    expect(await rows(page).count()).toBe(3);
    await page.reload();
    await until(async () => (await rows(page).count()) === 3);
    expect(await field.inputValue()).toBe(site.idOf("linus"));
    await field.fill("grac");
    await page.getByText("No session matches.").waitFor();
    await page.getByRole("button", { name: "Clear the filters" }).click();
    await until(async () => (await rows(page).count()) > 3);
    expect(await field.inputValue()).toBe("");
    expect(await findBarriers(page)).toEqual([]);
  });

  it("never takes the id in a link for the name of another user", async () => {
    const { site } = scene;
    const id = await site.addUser("dorothy");
    await site.addUser(id);
    await site.logIn("dorothy");
    await site.logIn(id);
    const page = await scene.open("vera", `sessions?user=${id}`, "Sessions");
    await until(async () => (await rows(page).count()) === 1);
    expect(await rows(page).getByRole("link").allTextContents()).toEqual(["dorothy"]);
    // A person who types it means the name.
    await page.getByLabel("User", { exact: true }).fill("");
    await until(async () => (await rows(page).count()) > 1);
    await type(page, "User", id);
    await until(async () => (await rows(page).count()) === 1);
    expect(await rows(page).getByRole("link").allTextContents()).toEqual([id]);
  });

  it("filters the audit log by the name of a user, also what arrives", async () => {
    const { site } = scene;
    const page = await scene.open("vera", "audit", "Audit log");
    await type(page, "User", "edsger");
    const names = () => page.locator(".line").getByRole("link").allTextContents();
    await until(async () => new Set(await names()).size === 1);
    expect(new Set(await names())).toEqual(new Set(["edsger"]));
    const before = (await names()).length;
    await site.logIn("linus", 5);
    await site.logIn("edsger", 6);
    await until(async () => (await names()).length > before || (await page.getByText(/new\./).isVisible()));
    if (await page.getByText(/new\./).isVisible()) await page.getByRole("button", { name: /^Show/ }).click();
    expect(new Set(await names())).toEqual(new Set(["edsger"]));
  });

  it("offers no export while the user of a name isn't known, because it would have the entries of all users", async () => {
    const page = await scene.open("ada", "audit", "Audit log");
    const exports = page.getByRole("button", { name: /^Export/ });
    await exports.waitFor();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route("**/api/admin/users/?*", (route) => held.then(() => route.continue()));
    await type(page, "User", "edsger");
    await exports.waitFor({ state: "detached" });
    release();
    await exports.waitFor();
  });

  it("revokes one access token by its id, and its session continues", async () => {
    const { site } = scene;
    await site.addUser("chien");
    const { access } = await site.nodes.auth.login({ username: "chien", password }, from("192.0.2.200"));
    const { jti } = JSON.parse(Buffer.from(access.split(".")[1] ?? "", "base64url").toString());
    expect(await verifyAccess(site.origin, access)).toBe(200);
    const page = await scene.open("ada", "sessions", "Sessions");
    await press(page, /^Revoke a token/);
    await seeDialog(page, /^Revoke one access token/);
    expect(await findBarriers(page)).toEqual([]);
    await type(page, "Token id", jti);
    await giveReason(page, "found in a log file");
    await seeMessage(page, /^The access token is revoked/);
    await seeMessage(page, "Every node has confirmed it.");
    expect(await verifyAccess(site.origin, access)).toBe(401);
    expect(await site.countSessions("chien")).toBe(1);
    const [entry] = await site.readAudit("token_revoked");
    expect(entry).toMatchObject({ actor: "staff/ada", note: "found in a log file", details: { tokenId: jti } });
  });

  it("unlocks the address of a failed login from its audit entry", async () => {
    const { site } = scene;
    const wrong = { username: "edsger", password: "wrong" };
    for (let tries = 0; tries < 3; tries += 1) {
      await site.nodes.auth.login(wrong, from("198.51.100.77")).catch(() => undefined);
    }
    const page = await scene.open("sam", "audit?type=login_failed&ip=198.51.100.77", "Audit log");
    await press(page, "Details");
    expect(await findBarriers(page)).toEqual([]);
    await press(page, /^Unlock 198\.51\.100\.77/);
    await seeDialog(page, /^Unlock 198\.51\.100\.77/);
    await giveReason(page, "an office that forgot a password");
    await seeMessage(page, /^198\.51\.100\.77 is unlocked/);
    await seeNoDialog(page);
    expect(await findBarriers(page)).toEqual([]);
    const [entry] = await site.readAudit("unlocked");
    expect(entry).toMatchObject({ actor: "staff/sam", note: "an office that forgot a password" });
    expect(entry?.details).toEqual({ ip: "198.51.100.77" });
    await page.goto(`${site.url}audit?type=unlocked`);
    await seePage(page, "Audit log");
    await page.getByText(/unlocked 198\.51\.100\.77 by sam/).waitFor();
  });

  it("offers a viewer neither to revoke a token nor to unlock an address", async () => {
    const page = await scene.open("vera", "audit?type=login_failed", "Audit log");
    await press(page, "Details");
    await page.locator(".detail").waitFor();
    expect(await page.getByRole("button", { name: /^(?:Unlock|Revoke|Export)/ }).count()).toBe(0);
    await page.goto(`${scene.site.url}sessions`);
    await seePage(page, "Sessions");
    expect(await page.getByRole("button", { name: /^(?:Unlock|Revoke|Export)/ }).count()).toBe(0);
  });

  it.each([
    ["CSV", "audit.csv"],
    ["JSON Lines", "audit.jsonl"],
  ])("exports what the filters show as %s", async (format, file) => {
    const page = await scene.open("ada", "audit?type=login_failed", "Audit log");
    await choose(page, /^Export/, format);
    await seeDialog(page, /^Export the audit log/);
    expect(await findBarriers(page)).toEqual([]);
    const [download] = await Promise.all([page.waitForEvent("download"), press(page, "Export")]);
    // The message is shown for eight seconds.
    await seeMessage(page, /^The export is downloaded/);
    expect(download.suggestedFilename()).toBe(file);
    const text = readFileSync(await download.path(), "utf8");
    const shown = await page.locator(".line > li").count();
    const lines = text.trimEnd().split(/\r?\n/);
    if (format === "CSV") {
      expect(lines).toHaveLength(shown + 1);
      expect(lines[0]).toContain("type");
      expect(lines.slice(1).every((line) => line.includes("login_failed"))).toBe(true);
    } else {
      const entries = lines.map((line) => JSON.parse(line));
      expect(entries.map((entry) => entry.type)).toEqual(Array.from({ length: shown }, () => "login_failed"));
    }
    await seeNoDialog(page);
    expect((await scene.site.readAudit("audit_exported"))[0]).toMatchObject({ actor: "staff/ada" });
  });

  it("revokes every session there is, and says so to the admin who did it", async () => {
    const page = await scene.open("ada", "sessions", "Sessions");
    await press(page, /^Revoke all…/);
    await seeDialog(page, /^Revoke all sessions of all users/);
    await giveReason(page, "the signing key leaked");
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    expect(await page.getByRole("status").textContent()).toMatch(/logged out/);
    for (const name of ["grace", "linus", "ada"]) expect(await scene.site.countSessions(name)).toBe(0);
    const [entry] = await scene.site.readAudit("sessions_revoked");
    expect(entry).toMatchObject({ actor: "staff/ada", note: "the signing key leaked" });
  });
});
