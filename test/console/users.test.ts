import { describe, expect, it } from "vitest";
import { until } from "../browser/until.ts";
import { findBarriers } from "./barriers.ts";
import { password } from "./console-site.ts";
import { choose, giveReason, isFocused, press, seeDialog, seeMessage, seeNoDialog, tabTo, type } from "./keyboard.ts";
import { seePage } from "./staff.ts";
import { useConsole } from "./use-console.ts";

describe("an admin, by keyboard", () => {
  const scene = useConsole();
  const logsIn = (username: string, secret: string) =>
    scene.site.nodes.auth.login({ username, password: secret }).then(
      () => true,
      () => false,
    );

  it("creates a user with a generated password, which is shown once and works", async () => {
    const page = await scene.open("ada", "users", "Users");
    await press(page, /^Create user/);
    await seeDialog(page, /^Create a user/);
    await type(page, "Username", "marie");
    await type(page, /^Email/, "marie@example.com");
    await giveReason(page, "new colleague");
    const secret = page.getByRole("alertdialog").locator("code");
    await secret.waitFor();
    await until(() => page.evaluate(() => document.activeElement?.closest('[role="alertdialog"]') != null));
    const shown = (await secret.textContent()) ?? "";
    expect(await findBarriers(page)).toEqual([]);
    expect(await logsIn("marie", shown)).toBe(true);
    await press(page, "Close");
    await seeNoDialog(page);
    expect(await page.getByText(shown).count()).toBe(0);
    await until(() => isFocused(page, /^Create user/));
    await page.getByRole("link", { name: "marie" }).first().waitFor();
    const [entry] = await scene.site.readAudit("user_changed");
    expect(entry).toMatchObject({ actor: "staff/ada", note: "new colleague", details: { change: "created" } });
    expect(JSON.stringify(await scene.site.readAudit("user_changed"))).not.toContain(shown);
  });

  it("creates a user with a typed password, and hears about a name that exists and a password that is too weak", async () => {
    const page = await scene.open("ada", "users", "Users");
    await press(page, /^Create user/);
    await seeDialog(page, /^Create a user/);
    await type(page, "Username", "grace");
    await tabTo(page, "field", /^Generate a password/);
    await page.keyboard.press("Space");
    await type(page, "Password", "12345678");
    await giveReason(page, "new colleague");
    await page.getByRole("alertdialog").getByRole("alert").filter({ hasText: /./ }).first().waitFor();
    expect(await findBarriers(page)).toEqual([]);
    // What was typed is kept.
    expect(await page.getByLabel("Reason").inputValue()).toBe("new colleague");
    await page.getByLabel("Password", { exact: true }).fill("staple battery horse correct");
    await page.getByLabel("Username").fill("emmy");
    await page.keyboard.press("Enter");
    await seeMessage(page, /^emmy is created/);
    await seeNoDialog(page);
    expect(await logsIn("emmy", "staple battery horse correct")).toBe(true);
  });

  it("deletes a user only after the name was repeated", async () => {
    const id = await scene.site.addUser("hedy");
    await scene.site.logIn("hedy");
    const page = await scene.open("ada", `users/${id}`, "hedy");
    await choose(page, "More actions", /^Delete/);
    await seeDialog(page, /^Delete hedy/);
    await type(page, "Username", "hedwig");
    await giveReason(page, "asked for it");
    const fault = page.getByRole("alertdialog").getByRole("alert").filter({ hasText: "hedy" });
    await fault.waitFor();
    expect(await isFocused(page, "Username", "field")).toBe(true);
    expect(await findBarriers(page)).toEqual([]);
    expect(await scene.site.nodes.auth.users.find(id)).not.toBeNull();
    await page.getByLabel("Username").fill("hedy");
    await page.keyboard.press("Enter");
    await seeMessage(page, /^hedy is deleted/);
    await page.getByRole("heading", { name: "No such user" }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    expect(await scene.site.nodes.auth.users.find(id)).toBeNull();
    const deleted = (await scene.site.readAudit("user_changed")).find(({ userId }) => userId === id);
    expect(deleted).toMatchObject({ actor: "staff/ada", note: "asked for it", details: { change: "deleted" } });
  });

  it("gives a role, and takes it away again", async () => {
    const id = await scene.site.addUser("lise");
    const page = await scene.open("ada", `users/${id}`, "lise");
    for (const [key, role, message] of [
      ["s", "support", /^lise is now support/],
      ["n", null, /^lise has no role/],
    ] as const) {
      await choose(page, "More actions", /^Change role/);
      await seeDialog(page, /^Change the role of lise/);
      if (!(await isFocused(page, "Role", "field"))) await tabTo(page, "field", "Role");
      await page.keyboard.press(key);
      await giveReason(page, "promoted, or not");
      await seeMessage(page, message);
      await seeNoDialog(page);
      expect((await scene.site.nodes.auth.users.find(id))?.role).toBe(role);
    }
    expect(await findBarriers(page)).toEqual([]);
  });

  it("disables several users at once, and says for whom it failed", async () => {
    for (const name of ["ken-1", "ken-2", "ken-3"]) {
      await scene.site.addUser(name);
      await scene.site.logIn(name);
    }
    const page = await scene.open("ada", "users?search=ken-", "Users");
    for (const name of ["ken-1", "ken-2", "ken-3"]) {
      await tabTo(page, "field", new RegExp(name));
      await page.keyboard.press("Space");
    }
    await page.getByText("3 selected").waitFor();
    expect(await findBarriers(page)).toEqual([]);
    // Somebody else deletes one of them meanwhile.
    await scene.site.nodes.auth.users.delete(scene.site.idOf("ken-2"));
    await press(page, /^Disable/);
    await seeDialog(page, /^Disable 3 users/);
    expect(await findBarriers(page)).toEqual([]);
    await giveReason(page, "spam");
    await seeMessage(page, /^2 of 3 users disabled/);
    await page
      .getByText(/^ken-2: /)
      .first()
      .waitFor();
    await seeNoDialog(page);
    for (const name of ["ken-1", "ken-3"]) {
      expect(await logsIn(name, password)).toBe(false);
      expect(await scene.site.countSessions(name)).toBe(0);
    }
    expect(await page.getByText(/selected/).count()).toBe(0);
    expect(await findBarriers(page)).toEqual([]);
  });

  it("unlocks a user whose failed logins lock the account, and the page shows the count", async () => {
    const { auth } = scene.site.nodes;
    const id = await scene.site.addUser("niels");
    const client = { ip: "198.51.100.9", userAgent: "curl/8.5" };
    const fail = () => auth.login({ username: "niels", password: "wrong" }, { client }).catch(() => undefined);
    for (let tries = 0; tries < 3; tries += 1) await fail();
    const page = await scene.open("ada", `users/${id}`, "niels");
    const card = page.locator("section", { has: page.getByRole("heading", { name: "Failed logins" }) });
    await card
      .getByText(/^[1-9]/)
      .first()
      .waitFor();
    await press(page, /^Unlock/);
    await seeDialog(page, /^Unlock niels/);
    await giveReason(page, "called us");
    await seeMessage(page, /^niels is unlocked/);
    await seeNoDialog(page);
    await card.getByText(/^0/).first().waitFor();
    const [entry] = await scene.site.readAudit("unlocked");
    expect(entry).toMatchObject({ userId: id, actor: "staff/ada", note: "called us" });
  });

  it("logs a user out who is found by a link from the audit log", async () => {
    const id = await scene.site.addUser("rosa");
    await scene.site.logIn("rosa");
    const page = await scene.open("ada", `audit?user=${id}`, "Audit log");
    await press(page, "rosa", "link");
    await seePage(page, "rosa");
    await press(page, /^Revoke the session of rosa/);
    await seeDialog(page, /^Revoke the session of rosa/);
    await giveReason(page, "phone lost");
    await seeMessage(page, /^1 session of rosa revoked/);
    expect(await scene.site.countSessions("rosa")).toBe(0);
  });

  it("says of sessions that the user logged out together that they were revoked, and not that they expired", async () => {
    const { auth } = scene.site.nodes;
    const userId = await scene.site.addUser("otto");
    await scene.site.logIn("otto", 1);
    await scene.site.logIn("otto", 2);
    const [kept] = await auth.sessions.list(userId);
    await auth.logout({ userId, sessionId: kept?.id ?? "" }, { scope: "others" });
    const page = await scene.open("ada", `users/${userId}`, "otto");
    await page.getByRole("table", { name: "Sessions of otto" }).getByText("revoked with others").waitFor();
    expect(await page.getByText("expired").count()).toBe(0);
  });

  it("doesn't count sessions that a user doesn't have", async () => {
    const page = await scene.open("ada", `users/${await scene.site.addUser("pia")}`, "pia");
    await press(page, "Disable…");
    await page.getByText("pia has no live sessions now.").waitFor();
  });

  it("says why a member of the staff has no buttons on the own page", async () => {
    const page = await scene.open("ada", `users/${scene.site.idOf("ada")}`, "ada");
    await page.getByText("You can't change your own account here. Another admin can").waitFor();
    expect(await page.getByRole("button", { name: "Disable…" }).count()).toBe(0);
  });
});
