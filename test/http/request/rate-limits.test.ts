import { afterEach, describe, expect, it } from "vitest";
import { systemRandom } from "../../../src/core/runtime/random.ts";
import type { Settings } from "../../../src/core/settings/settings.ts";
import type { Store } from "../../../src/core/store/index.ts";
import type { AuthUser } from "../../../src/core/user.ts";
import { createLoginTicket } from "../../../src/crypto/login-tickets.ts";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";
import { createBrowser } from "../../support/browser.ts";
import { guess, sendFrom } from "../guesses.ts";

let auth: TestAuth;

async function start(settings: Partial<Settings<AuthUser>> = {}): Promise<void> {
  auth = await createTestAuth({ settings: { refreshLimit: 3, verifyLimit: 2, blacklistLimit: 1, ...settings } });
}
afterEach(() => auth.close());

const from = (ip = "192.0.2.1") => sendFrom(auth, ip);

const post = (path: string, body: object, send = from()) => send("POST", `/api/token/${path}/`, { body });

describe("the rate limits of refresh, verify and blacklist", () => {
  it("limits refresh, verify and blacklist separately for each address, and logins not at all", async () => {
    await start();
    const { access, refresh } = await auth.logIn();
    const verify = () => post("verify", { token: access });
    expect([(await verify()).status, (await verify()).status]).toEqual([200, 200]);
    const refused = await verify();
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({
      code: "throttled",
      detail: expect.stringMatching(/^Too many requests\./),
    });
    expect((await post("verify", { token: access }, from("192.0.2.2"))).status).toBe(200);
    expect((await post("blacklist", { refresh: "garbage" })).status).toBe(401);
    expect((await post("blacklist", { refresh })).status).toBe(429);
    expect((await post("refresh", { refresh })).status).toBe(200);
    expect((await guess(from(), alice)).status).toBe(200);
  });

  it.each(["/api/token/continue/", "/api/auth/login/continue/"])(
    "limits %s like refreshes, so that invented tickets can't make the store busy",
    async (path) => {
      let reads = 0;
      const wrapStore = (store: Store): Store => ({
        ...store,
        tickets: {
          ...store.tickets,
          find: (hash) => {
            reads++;
            return store.tickets.find(hash);
          },
        },
      });
      const second = { afterPassword: () => ({ methods: ["otp"] }), verifySecondFactor: () => null };
      auth = await createTestAuth({ settings: { refreshLimit: 3, ...second }, wrapStore });
      const browser = createBrowser({ send: from() });
      await browser.get("/api/auth/csrf/");
      const statuses = [];
      for (let n = 0; n < 5; n++) {
        statuses.push((await browser.post(path, { ticket: createLoginTicket(systemRandom).ticket })).status);
      }
      expect([statuses, reads]).toEqual([[401, 401, 401, 429, 429], 3]);
    },
  );

  it("counts all addresses of an IPv6 /64 as one client", async () => {
    await start();
    const statuses = [];
    for (const n of [1, 2, 3]) {
      statuses.push((await post("verify", { token: "x" }, from(`2001:db8::${n}`))).status);
    }
    expect(statuses).toEqual([401, 401, 429]);
    expect((await post("verify", { token: "x" }, from("2001:db8:0:1::1"))).status).toBe(401);
  });

  it("emits one throttled event a minute for an address over its rate limit", async () => {
    await start();
    for (let n = 0; n < 5; n++) await post("verify", { token: "x" });
    const client = { ip: "192.0.2.1", userAgent: undefined };
    const throttled = auth.events.filter(({ type }) => type === "throttled");
    expect(throttled).toEqual([
      { type: "throttled", time: auth.clock.now(), scope: "verify", retryAfter: expect.any(Number), client },
    ]);
  });

  it("keeps the cookies and the session of a browser whose refresh is over the rate limit", async () => {
    await start();
    const browser = createBrowser({ send: from() });
    await browser.logIn();
    for (let n = 0; n < 3; n++) expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
    const response = await browser.post("/api/auth/refresh/");
    expect([response.status, response.headers.getSetCookie()]).toEqual([429, []]);
    expect(await browser.isLoggedIn()).toBe(true);
    const elsewhere = createBrowser({ send: from("192.0.2.2") });
    for (const name of ["__Secure-refresh", "__Host-Http-access", "__Host-csrftoken"]) {
      elsewhere.setCookie(name, browser.cookie(name) ?? "");
    }
    expect((await elsewhere.post("/api/auth/refresh/")).status).toBe(200);
  });

  it("does not limit an endpoint whose limit is 0, nor requests from an unknown address", async () => {
    await start({ verifyLimit: 0 });
    for (let n = 0; n < 10; n++) expect((await post("verify", { token: "x" })).status).toBe(401);
    for (let n = 0; n < 10; n++) expect((await post("blacklist", { refresh: "x" }, auth.send)).status).toBe(401);
  });
});
