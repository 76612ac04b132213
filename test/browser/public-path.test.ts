import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser } from "./browsers.ts";
import type { TestBrowser } from "./device.ts";
import { watchFaults } from "./faults.ts";
import { type Network, openNetwork } from "./network.ts";
import { callApi, logIn, logOut, openTab, seeAccount } from "./person.ts";
import { openSite, type Site } from "./site.ts";
import { until } from "./until.ts";

// What the page has to learn from the server.
const settings = { publicPath: "/account", csrfHeaderName: "X-XSRF-TOKEN" } as const;
const { publicPath } = settings;

describe("the page behind a proxy that removes a prefix from the path, with another CSRF header", () => {
  let site: Site;
  let network: Network;
  let browser: TestBrowser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openSite({ access: 2, ...settings }), openBrowser()]);
    network = await openNetwork(site, publicPath);
  });
  afterAll(async () => {
    await browser.close();
    await network.close();
    await site.close();
  });

  it("logs in, refreshes and logs out", async () => {
    const [device, user] = await Promise.all([browser.device(), site.newUser()]);
    const faults = watchFaults(device);
    const page = await openTab(device, { origin: `${network.origin}${publicPath}` });
    await logIn(page, user);
    await until(async () => (await site.refreshesOf(user)).includes("rotated"));
    await seeAccount(page, user);
    expect(await callApi(page)).toBe("200 OK");

    const cookies = await device.cookies(`${network.origin}${publicPath}/api/auth/refresh/`);
    const paths = cookies.filter(({ name }) => /refresh|device/.test(name)).map(({ path }) => path);
    expect(paths).toEqual(["/account/api/auth", "/account/api/auth"]);

    await logOut(page);
    await until(async () => (await site.sessionsOf(user)).length === 0);
    expect((await site.log()).filter(({ msg }) => msg.includes("publicPath"))).toEqual([]);
    await device.close();
    expect(faults).toEqual([]);
  });
});
