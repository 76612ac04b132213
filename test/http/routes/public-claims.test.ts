import { afterEach, describe, expect, it } from "vitest";
import type { Settings } from "../../../src/core/settings/settings.ts";
import type { AuthUser } from "../../../src/core/user.ts";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";
import { type Browser, createBrowser } from "../../support/browser.ts";

let auth: TestAuth;
let browser: Browser;

async function start(settings: Partial<Settings<AuthUser>> = {}): Promise<void> {
  auth = await createTestAuth({ settings });
  browser = createBrowser(auth);
  await browser.get("/api/auth/csrf/");
}
afterEach(() => auth.close());

const toClaims = async (response: Response) => ((await response.json()) as { claims?: unknown }).claims;

/** Sends every request whose answer tells a page who its user is, in the order of a session. */
async function readAll(): Promise<unknown[]> {
  const answers = [await browser.post("/api/auth/login/", alice)];
  answers.push(await browser.get("/api/auth/me/"), await browser.post("/api/auth/refresh/"));
  return Promise.all(answers.map(toClaims));
}

describe("the application's public claims", () => {
  it("are in the answers of login, me and refresh, as JSON has them", async () => {
    await start({
      publicClaims: async ({ username }) => ({ name: username.toUpperCase(), since: new Date(0), none: undefined }),
    });
    const claims = { name: "ALICE", since: "1970-01-01T00:00:00.000Z" };
    expect(await readAll()).toEqual([claims, claims, claims]);
    expect(JSON.stringify(auth.deps.tokens.verifyAccess(browser.cookie("__Host-Http-access") ?? ""))).not.toContain(
      "ALICE",
    );
  });

  it("are those of the moment of each answer", async () => {
    let plan = "free";
    await start({ publicClaims: () => ({ plan }) });
    await browser.post("/api/auth/login/", alice);
    plan = "pro";
    expect(await toClaims(await browser.get("/api/auth/me/"))).toEqual({ plan: "pro" });
    expect(await toClaims(await browser.post("/api/auth/refresh/"))).toEqual({ plan: "pro" });
  });

  it("are in the answer of a second step, also if it is repeated", async () => {
    await start({
      publicClaims: () => ({ plan: "pro" }),
      afterPassword: () => ({ methods: ["otp"] }),
      verifySecondFactor: () => ["otp"],
    });
    const { ticket } = (await (await browser.post("/api/auth/login/", alice)).json()) as { ticket: string };
    const send = () => browser.post("/api/auth/login/continue/", { ticket }, { "Idempotency-Key": "k".repeat(22) });
    expect([await toClaims(await send()), await toClaims(await send())]).toEqual([{ plan: "pro" }, { plan: "pro" }]);
  });

  it("are in no answer without the hook, and never asked for by the token endpoints", async () => {
    await start();
    expect(await readAll()).toEqual([undefined, undefined, undefined]);
    await auth.close();
    let calls = 0;
    await start({
      publicClaims: () => {
        calls += 1;
        return {};
      },
    });
    const { refresh } = await auth.logIn();
    await auth.send("POST", "/api/token/refresh/", { body: { refresh } });
    expect(calls).toBe(0);
  });

  it.each([["text"], [null], [["list"]], [undefined], [new Error("down")]])(
    "answer 503 before anything changes if the hook returns or throws %j",
    async (answer) => {
      let isBroken = false;
      await start({
        publicClaims: () => {
          if (isBroken && answer instanceof Error) throw answer;
          return isBroken ? (answer as never) : {};
        },
      });
      await browser.post("/api/auth/login/", alice);
      const before = (await auth.store.sessions.list({ limit: 10 })).sessions;
      isBroken = true;
      for (const send of [
        () => browser.post("/api/auth/login/", alice),
        () => browser.post("/api/auth/refresh/"),
        () => browser.get("/api/auth/me/"),
      ]) {
        expect((await send()).status).toBe(503);
      }
      expect((await auth.store.sessions.list({ limit: 10 })).sessions).toEqual(before);
    },
  );
});
