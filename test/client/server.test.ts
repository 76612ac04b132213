import { afterEach, describe, expect, it } from "vitest";
import { assembleBearerClient, type BearerClient } from "../../src/client/bearer/bearer-client.ts";
import type { CookieClient } from "../../src/client/cookie/client.ts";
import { assembleCookieClient } from "../../src/client/cookie/cookie-client.ts";
import type { Environment } from "../../src/client/environment.ts";
import { userSessions } from "../../src/client/user-sessions.ts";
import { alice, createTestAuth, type TestAuth, type TestAuthOptions, testStart } from "../support/auth.ts";
import { type Browser, createBrowser, ownOrigin } from "../support/browser.ts";
import { toStorage } from "./fake-browser.ts";

let auth: TestAuth;
let browser: Browser;
let stops: (() => void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  await auth.close();
});

async function start(settings: TestAuthOptions["settings"] = {}): Promise<void> {
  auth = await createTestAuth({ settings: { maxStaleness: 3_600, ...settings } });
  browser = createBrowser(auth);
  stops = [];
}

/** An environment whose requests reach the real server. The response to a path in `lost` doesn't arrive, once. */
function createEnvironment(send: Environment["fetch"], lost: Set<string>): Environment {
  return {
    async fetch(input, init) {
      const response = await send(input, init);
      const path = new URL(String(input)).pathname;
      if (lost.delete(path)) throw new TypeError("Failed to fetch");
      return response;
    },
    wall: auth.clock.wall,
    monotonic: () => auth.clock.wall() - testStart * 1_000,
    random: () => 0.5,
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    setTimeout: () => 0,
    clearTimeout: () => undefined,
    storage: toStorage(new Map()),
    locks: { request: (_name, _options, run) => run() },
    cookies: () => `__Host-csrftoken=${browser.cookie("__Host-csrftoken") ?? ""}`,
    page: {
      href: `${ownOrigin}/`,
      base: `${ownOrigin}/`,
      listen: () => () => undefined,
    },
  };
}

function openCookieClient(lost = new Set<string>()): CookieClient {
  const env = createEnvironment((input, init) => {
    const { pathname, search } = new URL(String(input));
    const headers = { "X-CSRFToken": null, ...Object.fromEntries(new Headers(init?.headers)) };
    return browser.send(init?.method ?? "GET", pathname + search, { headers, body: init?.body ?? undefined });
  }, lost);
  const client = assembleCookieClient(env, {});
  stops.push(client.dispose);
  return client;
}

function openBearerClient(lost = new Set<string>()): BearerClient {
  const env = createEnvironment(
    (input, init) =>
      auth.send(init?.method ?? "GET", new URL(String(input)).pathname, {
        headers: new Headers(init?.headers),
        body: init?.body ?? undefined,
      }),
    lost,
  );
  const client = assembleBearerClient(env, { storage: toStorage(new Map()) });
  stops.push(client.dispose);
  return client;
}

const authTime = (access = browser.cookie("__Host-Http-access") ?? "") =>
  auth.deps.tokens.verifyAccess(access).authTime;

describe("the client and the server", () => {
  it("agree about a user's public claims, at a login, a reload of the page and a refresh", async () => {
    let role = "editor";
    await start({ publicClaims: () => ({ role }) });
    const client = openCookieClient();
    const user = { id: auth.user.id, username: "alice", claims: { role } };
    expect((await client.login(alice)).user).toEqual(user);
    expect((await openCookieClient().ready()).user).toEqual(user);
    role = "admin";
    expect((await client.refresh()).user?.claims).toEqual({ role });
  });

  it("agree about a confirmation by cookie, and about a wrong password", async () => {
    await start();
    const client = openCookieClient();
    await client.login(alice);
    auth.clock.advance(600);
    await expect(client.confirm("wrong")).rejects.toMatchObject({ code: "invalid", message: "Invalid password." });
    expect(authTime()).toBe(testStart);
    await client.confirm(alice.password);
    expect(authTime()).toBe(testStart + 600);
    await client.refresh();
    expect([authTime(), client.session().problem]).toEqual([testStart + 600, undefined]);
  });

  it("agree about a confirmation by a bearer token", async () => {
    await start();
    const client = openBearerClient();
    await client.login(alice);
    auth.clock.advance(600);
    await client.confirm(alice.password);
    expect(authTime(await client.accessToken())).toBe(testStart + 600);
    auth.clock.advance(3_600);
    expect(authTime(await client.accessToken())).toBe(testStart + 600);
  });

  it("agree about a login that needs a second step", async () => {
    await start({
      afterPassword: () => ({ methods: ["otp"] }),
      verifySecondFactor: (_user, { code }) => (code === "123456" ? ["otp"] : null),
    });
    const client = openCookieClient(new Set(["/api/auth/login/continue/"]));
    const error = await client.login(alice).catch((reason) => reason);
    expect(error).toMatchObject({ code: "second_factor_required", status: 401, body: { methods: ["otp"] } });
    const { ticket } = error.body;
    // The response to the first attempt is lost, so the client asks twice.
    await expect(client.login({ ticket, code: "0" })).rejects.toMatchObject({ code: "second_factor_invalid" });
    expect(await client.login({ ticket, code: "123456" })).toMatchObject({ user: { username: "alice" } });
    expect((await userSessions(client).list()).length).toBe(1);
  });

  it("begin one session if the response to the second step is lost", async () => {
    await start({ afterPassword: () => ({ methods: ["otp"] }), verifySecondFactor: () => ["otp"] });
    const client = openCookieClient(new Set(["/api/auth/login/continue/"]));
    const { body } = await client.login(alice).catch((reason) => reason);
    expect((await client.login({ ticket: body.ticket, code: "123456" })).status).toBe("authenticated");
    expect((await userSessions(client).list()).map(({ current }) => current)).toEqual([true]);
  });

  it("agree about a login by bearer tokens that needs a second step", async () => {
    await start({
      afterPassword: () => ({ methods: ["otp"] }),
      verifySecondFactor: (_user, { code }) => (code === "123456" ? ["otp"] : null),
    });
    const client = openBearerClient();
    const error = await client.login(alice).catch((reason) => reason);
    expect(error).toMatchObject({ code: "second_factor_required", status: 401, body: { methods: ["otp"] } });
    const { ticket } = error.body;
    await expect(client.login({ ticket, code: "0" })).rejects.toMatchObject({ code: "second_factor_invalid" });
    expect(await client.login({ ticket, code: "123456" })).toMatchObject({ user: { username: "alice" } });
    expect(auth.deps.tokens.verifyAccess((await client.accessToken()) ?? "").amr).toEqual(["pwd", "otp"]);
    auth.clock.advance(3_600);
    expect((await client.ensure()).status).toBe("authenticated");
    await expect(client.login({ ticket, code: "123456" })).rejects.toMatchObject({ code: "ticket_invalid" });
    expect(client.session().status).toBe("authenticated");
  });

  it("begin one session by bearer tokens if the response to the second step is lost", async () => {
    await start({ afterPassword: () => ({ methods: ["otp"] }), verifySecondFactor: () => ["otp"] });
    const lost = new Set(["/api/token/continue/"]);
    const client = openBearerClient(lost);
    const { body } = await client.login(alice).catch((reason) => reason);
    expect((await client.login({ ticket: body.ticket, code: "123456" })).status).toBe("authenticated");
    expect(lost.size).toBe(0);
    expect((await userSessions(client).list()).map(({ current }) => current)).toEqual([true]);
  });

  it("agree about tokens that a route of the application has issued", async () => {
    await start();
    const client = openBearerClient();
    expect((await client.login(await auth.logIn())).user?.username).toBe("alice");
    auth.clock.advance(3_600);
    expect((await client.ensure()).status).toBe("authenticated");
  });

  it("agree about the CSRF token of a login form and of an upload", async () => {
    await start();
    const client = openCookieClient();
    const login = { "X-CSRFToken": await client.csrfToken() };
    expect((await browser.post("/api/auth/login/", alice, login)).status).toBe(200);
    expect((await client.reload()).user?.username).toBe("alice");
    const upload = { "X-CSRFToken": await client.csrfToken() };
    expect((await browser.post("/api/auth/confirm/", { password: alice.password }, upload)).status).toBe(204);
  });
});
