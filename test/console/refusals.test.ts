import { describe, expect, it } from "vitest";
import { until } from "../browser/until.ts";
import { findBarriers } from "./barriers.ts";
import { choose, giveReason, press, seeDialog, seeNoDialog, type } from "./keyboard.ts";
import { seePage } from "./staff.ts";
import { useConsole } from "./use-console.ts";

describe("what the server refuses", () => {
  const scene = useConsole();

  /** Waits until the newest refusal in the audit log is this one. Refusals are recorded in the background. */
  async function seeRefusal(username: string, details: Readonly<Record<string, string>>): Promise<void> {
    const userId = scene.site.idOf(username);
    await until(async () => {
      const [entry] = await scene.site.readAudit("staff_refused");
      const isSame = Object.entries(details).every(([name, value]) => entry?.details[name] === value);
      return entry?.userId === userId && isSame;
    });
  }

  it("isn't offered to support: roles, deleting, revoking many, exporting, keys, and staff", async () => {
    const { site } = scene;
    const page = await scene.open("sam", `users/${site.idOf("grace")}`, "grace");
    await press(page, "More actions");
    const items = await page.getByRole("menuitem").allTextContents();
    expect(items.filter((text) => /^(?:Delete|Change role)/.test(text))).toEqual([]);
    expect(items.length).toBeGreaterThan(0);
    expect(await findBarriers(page)).toEqual([]);
    for (const [path, heading] of [
      ["audit", "Audit log"],
      ["sessions", "Sessions"],
      ["keys", "Keys"],
    ] as const) {
      await page.goto(`${site.url}${path}`);
      await seePage(page, heading);
      expect(await page.getByRole("button", { name: /^(?:Export|Revoke all|Rotate|Retire)/ }).count()).toBe(0);
    }
    for (const name of ["ada", "vera"]) {
      await page.goto(`${site.url}users/${site.idOf(name)}`);
      await seePage(page, name);
      expect(await page.getByRole("button", { name: /^(?:Disable|Set password|Change)/ }).count()).toBe(0);
    }
  });

  it("is said to support who has a page from before: the user has become an admin", async () => {
    const { site } = scene;
    const id = await site.addUser("rising");
    await site.logIn("rising");
    const page = await scene.open("sam", `users/${id}`, "rising");
    await press(page, /^Log out everywhere/);
    await seeDialog(page, /^Log out rising/);
    await site.nodes.auth.users.update(id, { role: "admin" });
    await giveReason(page, "looks odd");
    const alert = page.getByRole("alertdialog").getByRole("alert").filter({ hasText: /./ });
    await alert.first().waitFor();
    expect(await findBarriers(page)).toEqual([]);
    expect(await page.getByLabel("Reason").inputValue()).toBe("looks odd");
    expect(await site.countSessions("rising")).toBe(1);
    await seeRefusal("sam", { code: "permission_denied", targetId: id });
    await page.keyboard.press("Escape");
    await seeNoDialog(page);
  });

  it("is said to an admin whose role is taken away while a dialog is open", async () => {
    const { site } = scene;
    await site.addUser("falling", "admin");
    const page = await scene.open("falling", `users/${site.idOf("grace")}`, "grace");
    await choose(page, "More actions", /^Delete/);
    await seeDialog(page, /^Delete grace/);
    await site.nodes.auth.users.update(site.idOf("falling"), { role: "viewer" });
    await type(page, "Username", "grace");
    await giveReason(page, "a last act");
    await page.getByRole("alert").filter({ hasText: /./ }).first().waitFor();
    expect(await site.nodes.auth.users.find(site.idOf("grace"))).not.toBeNull();
    expect(await findBarriers(page)).toEqual([]);
    await seeRefusal("falling", { code: "permission_denied" });
    await page.reload();
    await seePage(page, "grace");
    expect(await page.getByRole("main").getByRole("button", { name: /…$/ }).count()).toBe(0);
  });

  it("is said to a member who has no role any more, on every page", async () => {
    const { site } = scene;
    await site.addUser("leaving", "support");
    const page = await scene.open("leaving", "users", "Users");
    await site.nodes.auth.users.update(site.idOf("leaving"), { role: null });
    // The stream may have told the page before: then the link is gone.
    const link = page.getByRole("link", { name: "Sessions" });
    await link.press("Enter", { timeout: 5_000 }).catch(() => undefined);
    await page.getByRole("heading", { level: 1, name: "This console is for staff" }).waitFor();
    expect(await page.getByRole("table").count()).toBe(0);
    expect(await findBarriers(page)).toEqual([]);
  });

  it("is said to an admin who would remove the last one", async () => {
    const { site } = scene;
    const { auth } = site.nodes;
    await site.addUser("other", "admin");
    const page = await scene.open("other", `users/${site.idOf("ada")}`, "ada");
    await press(page, /^Disable/);
    await seeDialog(page, /^Disable ada/);
    await page.keyboard.press("Escape");
    await seeNoDialog(page);
    // No admin can remove their own account.
    await page.goto(`${site.url}users/${site.idOf("other")}`);
    await seePage(page, "other");
    expect(
      await page
        .getByRole("main")
        .getByRole("button", { name: /^(?:Disable|Log out everywhere)/ })
        .count(),
    ).toBe(0);
    await page.goto(`${site.url}users/${site.idOf("ada")}`);
    await seePage(page, "ada");
    await choose(page, "More actions", /^Change role/);
    await seeDialog(page, /^Change the role of ada/);
    // Meanwhile the other admin can no longer log in with a password, so ada is the last one who can.
    for (const name of ["rising", "falling"])
      if (site.ids.has(name)) await auth.users.update(site.idOf(name), { role: null });
    await site.forgetPassword("other");
    await page.getByLabel("Role").last().selectOption("");
    await giveReason(page, "no admins needed");
    await page
      .getByRole("alert")
      .filter({ hasText: /last active admin/ })
      .waitFor();
    expect(await findBarriers(page)).toEqual([]);
    expect((await auth.users.find(site.idOf("ada")))?.role).toBe("admin");
    await seeRefusal("other", { code: "last_admin" });
    await until(async () => (await page.getByLabel("Reason").inputValue()) === "no admins needed");
  });
});
