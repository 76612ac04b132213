import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { hasLongTests } from "../support/long-tests.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { verifyAccess } from "../support/wire.ts";
import { findBarriers } from "./barriers.ts";
import { password } from "./console-site.ts";
import { choose, giveReason, press, seeDialog, seeMessage, type } from "./keyboard.ts";
import { openPage } from "./staff.ts";
import { useConsole } from "./use-console.ts";

/** What staff does to the victim, and what the victim's page then says. */
interface Deed {
  readonly deed: string;
  readonly open: (page: Page, name: string) => Promise<void>;
  readonly says: RegExp;
}

const remotely = /^This device was logged out remotely/;

const deeds: readonly Deed[] = [
  { deed: "logs the user out", open: (page) => press(page, /^Log out everywhere/), says: remotely },
  { deed: "revokes the session", open: (page) => press(page, /^Revoke the session/), says: remotely },
  { deed: "disables the user", open: (page) => press(page, /^Disable/), says: /because your account was disabled/ },
  { deed: "sets a password", open: (page) => press(page, /^Set password/), says: /because your password was changed/ },
  {
    deed: "deletes the user",
    async open(page, name) {
      await choose(page, "More actions", /^Delete/);
      await type(page, "Username", name);
    },
    says: /because your account was deleted/,
  },
];

const places = [
  { where: "on the same node", database: "SQLite", servers: 1 },
  { where: "on another node over SQLite", database: "SQLite", servers: 2 },
  { where: "on another node over PostgreSQL", database: "PostgreSQL", servers: 2 },
] as const;

/** The others take a minute: `npm run proof -- console`. */
const tested = hasLongTests ? places : places.slice(-1);

describe.each(tested)("the page of a user says why, when staff $where", ({ where, ...options }) => {
  const scene = useConsole(options);
  let serial = 0;

  it.each(deeds)("$deed", async ({ deed, open, says }) => {
    const { site } = scene;
    serial += 1;
    const name = `victim${serial}`;
    const id = await site.addUser(name);
    const { port } = site.nodes.servers.at(-1) as ServerProcess;
    const origin = `http://localhost:${port}`;
    const victim = scene.watch(await openPage(scene.browser));
    await victim.goto(origin);
    const isStreaming = victim.waitForResponse((response) => response.url().endsWith("/session/events/"));
    await victim.getByLabel("Username").fill(name);
    await victim.getByLabel("Password", { exact: true }).fill(password);
    await victim.keyboard.press("Enter");
    await victim.getByRole("heading", { level: 1, name }).waitFor();
    expect((await isStreaming).status()).toBe(200);
    const access = (await victim.context().cookies(origin)).find(({ name: cookie }) => /access/.test(cookie))?.value;

    const staff = await scene.open("ada", `users/${id}`, name);
    await open(staff, name);
    await seeDialog(staff, new RegExp(name));
    const requests: string[] = [];
    victim.on("request", (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
    await victim.evaluate(noteWhenLoggedOut);
    await staff.evaluate(noteWhenSent);
    await giveReason(staff, "laptop stolen");
    // The message is shown for eight seconds.
    await seeMessage(staff, /Every node has confirmed it\./);

    // Nobody touches the page.
    await victim.getByText(says).first().waitFor();
    await victim.getByRole("heading", { level: 1, name: "Log in" }).waitFor();
    expect(await findBarriers(victim)).toEqual([]);
    // Not by polling: the end of the stream made the page ask who is logged in, and that was refused.
    // The list of devices is reloaded every 30 s.
    const asked = requests.filter((request) => request !== "GET /api/auth/sessions/");
    expect(asked.slice(0, 2)).toEqual(["GET /api/auth/me/", "POST /api/auth/refresh/"]);
    expect(await verifyAccess(origin, access ?? "")).toBe(401);
    const [sent, told] = [await staff.evaluate(readMoment), await victim.evaluate(readMoment)];
    expect(told).toBeGreaterThanOrEqual(sent);
    console.log(`console: staff ${deed} ${where}: the user's page says why after ${told - sent} ms`);
  });
});

interface Noted {
  moment: number;
}

/** Runs in the page. Notes when Enter is pressed last. */
function noteWhenSent(): void {
  const note = ({ key }: KeyboardEvent) => {
    if (key === "Enter") (globalThis as unknown as Noted).moment = Date.now();
  };
  addEventListener("keydown", note, true);
}

/** Runs in the page. Notes when it shows the login form. */
function noteWhenLoggedOut(): void {
  new MutationObserver((_, observer) => {
    if (document.querySelector('input[autocomplete="username"][name="username"]') === null) return;
    (globalThis as unknown as Noted).moment = Date.now();
    observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
}

const readMoment = (): number => (globalThis as unknown as Noted).moment;
