import { describe, expect, it } from "vitest";
import { ClientError } from "../../src/client/index.ts";
import { watchConnection } from "../../src/page/connection.ts";
import { createFakeBrowser } from "../client/fake-browser.ts";

async function setUp() {
  const browser = createFakeBrowser();
  const { client } = await browser.openLoggedIn({ random: 1 });
  const page = new EventTarget();
  const banner = { textContent: "" };
  const connection = watchConnection(client, banner, page);
  return { browser, client, page, banner, connection };
}

describe("the banner", () => {
  it("shows that the browser is offline, until it is online", async () => {
    const { page, banner } = await setUp();
    page.dispatchEvent(new Event("offline"));
    expect(banner.textContent).toBe("No connection to the server. You are still logged in.");
    page.dispatchEvent(new Event("online"));
    expect(banner.textContent).toBe("");
  });

  it("shows that a request had no response, until another one has, or until the browser is online again", async () => {
    const { page, banner, connection } = await setUp();
    const offline = new ClientError("offline", "x");
    await expect(connection.watch(Promise.reject(offline))).rejects.toBe(offline);
    expect(banner.textContent).toBe("No connection to the server. You are still logged in.");
    expect(connection.hasProblem()).toBe(true);
    expect(await connection.watch(Promise.resolve(1))).toBe(1);
    expect(banner.textContent).toBe("");
    expect(connection.hasProblem()).toBe(false);
    connection.report(offline);
    page.dispatchEvent(new Event("online"));
    expect(banner.textContent).toBe("");
  });

  it("doesn't say that the browser is offline after a request that succeeded, whatever the browser claims", async () => {
    const { page, banner, connection } = await setUp();
    page.dispatchEvent(new Event("offline"));
    connection.report(undefined);
    expect(banner.textContent).toBe("");
  });

  it("is empty at first although the browser claims to be offline, because the page has just been loaded", async () => {
    const { banner } = await setUp();
    expect(banner.textContent).toBe("");
  });

  it("says that the server refused to refresh, and that the user is still logged in", async () => {
    const { browser, client, banner } = await setUp();
    const kind = new Response('{"code":"token_not_valid"}', { status: 401 });
    browser.server.faults.push({ on: "/refresh/", kind });
    await client.refresh();
    expect(banner.textContent).toMatch(/could not confirm your login.* You are still logged in\.$/);
  });
});
