import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBearerClient } from "../../../src/client/bearer/index.ts";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";
import { type Browser, createBrowser } from "../../support/browser.ts";

const key = "an-idempotency-key-of-128-bits";
const newPassword = "a much better battery";
const body = { current_password: alice.password, new_password: newPassword };

let auth: TestAuth;

beforeEach(async () => {
  // A test that moves the clock doesn't make the feed stale, so no request waits for a read of it.
  auth = await createTestAuth({ settings: { maxStaleness: 3_600 } });
});
afterEach(() => auth.close());

const sendByBearer = (access: string, fields: object = body, idempotencyKey: string | null = key) =>
  auth.send("POST", "/api/auth/password/", {
    headers: {
      Authorization: `Bearer ${access}`,
      ...(idempotencyKey === null ? {} : { "Idempotency-Key": idempotencyKey }),
    },
    body: fields,
  });

const isAccepted = async (access: string) =>
  (await auth.send("GET", "/api/auth/me/", { headers: { Authorization: `Bearer ${access}` } })).status === 200;

describe("a password change by bearer token whose answer was lost", () => {
  it("gets the same refresh token again, by the access token that it has revoked and whatever the current password is", async () => {
    const { access } = await auth.logIn();
    const first = (await (await sendByBearer(access)).json()) as { access: string; refresh: string };
    expect(await isAccepted(access)).toBe(false);
    auth.clock.advance(300);
    const response = await sendByBearer(access, { ...body, current_password: "forgotten" });
    const second = (await response.json()) as typeof first;
    expect([response.status, second.refresh]).toEqual([200, first.refresh]);
    expect([await isAccepted(first.access), await isAccepted(second.access)]).toEqual([true, true]);
  });

  it("is refused with another key, without a key, and after the session has been refreshed", async () => {
    const { access } = await auth.logIn();
    const { refresh } = (await (await sendByBearer(access)).json()) as { refresh: string };
    expect((await sendByBearer(access, body, "another-idempotency-key-of-ours")).status).toBe(401);
    expect((await sendByBearer(access, body, null)).status).toBe(401);
    expect((await auth.send("POST", "/api/token/refresh/", { body: { refresh } })).status).toBe(200);
    expect((await sendByBearer(access)).status).toBe(401);
  });

  it("is refused if the token is another session's or not genuine", async () => {
    const [{ access }, other] = [await auth.logIn(), await auth.logIn()];
    expect((await sendByBearer(access)).status).toBe(200);
    expect((await sendByBearer(other.access)).status).toBe(401);
    expect((await sendByBearer(`${access.slice(0, -1)}${access.endsWith("A") ? "E" : "A"}`)).status).toBe(401);
  });

  it("is refused after a logout, so that no token of a session that is over is issued", async () => {
    const { access } = await auth.logIn();
    const pair = (await (await sendByBearer(access)).json()) as { access: string };
    const headers = { Authorization: `Bearer ${pair.access}` };
    expect((await auth.send("POST", "/api/auth/logout/", { headers, body: {} })).status).toBe(200);
    expect((await sendByBearer(access)).status).toBe(401);
  });

  it("answers 400 to a malformed key, and changes nothing", async () => {
    const { access } = await auth.logIn();
    expect((await sendByBearer(access, body, "short")).status).toBe(400);
    expect(await isAccepted(access)).toBe(true);
  });
});

describe("a password change of our own client whose answer was lost", () => {
  it("is repeated by the client with the same key, and by the user after a refresh that the server has refused", async () => {
    const stored = new Map<string, string>();
    let lost = 0;
    const client = createBearerClient({
      baseUrl: "https://auth.example",
      storage: {
        getItem: (name) => stored.get(name) ?? null,
        setItem: (name, value) => void stored.set(name, value),
        removeItem: (name) => void stored.delete(name),
      },
      async fetch(input, init) {
        const response = await auth.handler.fetch(new Request(input, init));
        if (String(input).includes("/password/") && lost-- > 0) throw new TypeError("fetch failed");
        return response;
      },
    });
    await client.login(alice);
    lost = 1;
    await client.changePassword({ currentPassword: alice.password, newPassword });
    expect((await client.fetch("/api/auth/me/")).status).toBe(200);

    lost = 2;
    const second = { currentPassword: newPassword, newPassword: "an even better battery" };
    await expect(client.changePassword(second)).rejects.toMatchObject({ code: "offline" });
    expect((await client.refresh()).problem).toBe("refused");
    await client.changePassword(second);
    expect((await client.fetch("/api/auth/me/")).status).toBe(200);
    expect((await client.refresh()).status).toBe("authenticated");
    client.dispose();
  });
});

describe("a password change by cookie whose answer was lost", () => {
  let browser: Browser;
  let cookies: readonly (readonly [string, string, string])[];

  beforeEach(async () => {
    browser = createBrowser(auth);
    await browser.logIn();
    cookies = [
      ["__Host-Http-access", browser.cookie("__Host-Http-access") ?? "", "/"],
      ["__Secure-refresh", browser.cookie("__Secure-refresh") ?? "", "/api/auth"],
      ["__Host-csrftoken", browser.cookie("__Host-csrftoken") ?? "", "/"],
    ];
  });

  const send = () => browser.post("/api/auth/password/", body, { "Idempotency-Key": key });
  const loseAnswer = () => cookies.forEach(([name, value, path]) => void browser.setCookie(name, value, path));

  it("sets the same refresh cookie again, and the browser stays logged in", async () => {
    expect((await send()).status).toBe(200);
    const refresh = browser.cookie("__Secure-refresh");
    loseAnswer();
    expect(await browser.isLoggedIn()).toBe(false);
    expect((await send()).status).toBe(200);
    expect(browser.cookie("__Secure-refresh")).toBe(refresh);
    expect(await browser.isLoggedIn()).toBe(true);
  });

  it("is repeated by the refresh cookie alone if the access cookie has expired meanwhile", async () => {
    expect((await send()).status).toBe(200);
    const refresh = browser.cookie("__Secure-refresh");
    loseAnswer();
    browser.deleteCookie("__Host-Http-access");
    expect((await send()).status).toBe(200);
    expect(browser.cookie("__Secure-refresh")).toBe(refresh);
  });

  it("needs the CSRF token and an allowed origin all the same", async () => {
    expect((await send()).status).toBe(200);
    loseAnswer();
    const repeat = (headers: Record<string, string | null>) =>
      browser.post("/api/auth/password/", body, { "Idempotency-Key": key, ...headers });
    expect((await repeat({ "X-CSRFToken": null })).status).toBe(403);
    expect((await repeat({ "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" })).status).toBe(403);
    expect((await repeat({})).status).toBe(200);
  });
});

describe("a logout of all by bearer token whose answer was lost", () => {
  const logOutAll = (access: string, headers: Record<string, string>) =>
    auth.send("POST", "/api/auth/logout/", {
      headers: { Authorization: `Bearer ${access}`, ...headers },
      body: { scope: "all" },
    });

  it("is answered with 200 again if it has an idempotency key", async () => {
    const { access } = await auth.logIn();
    for (let i = 0; i < 2; i++) expect((await logOutAll(access, { "Idempotency-Key": key })).status).toBe(200);
    expect((await logOutAll(access, {})).status).toBe(401);
  });

  it("is refused if something else than a logout has revoked the session", async () => {
    const { access } = await auth.logIn();
    await auth.deps.flows.revokeSessionsForUser(auth.user.id);
    expect((await logOutAll(access, { "Idempotency-Key": key })).status).toBe(401);
  });
});

describe("the header Revocation-Confirmed", () => {
  /** A pause of the machine must not end a confirmation. */
  const confirming = { confirmRevocations: true, confirmTimeout: 60 };
  const confirmedOf = (response: Response) => [response.status, response.headers.get("Revocation-Confirmed")];
  const logOut = (access: string, scope: string) =>
    auth.send("POST", "/api/auth/logout/", { headers: { Authorization: `Bearer ${access}` }, body: { scope } });

  it("says that no node accepts the tokens any more after a logout of several sessions and a new password", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: confirming });
    const { access } = await auth.logIn();
    expect(confirmedOf(await logOut(access, "others"))).toEqual([200, "acks"]);
    expect(confirmedOf(await logOut(access, "all"))).toEqual([200, "acks"]);
    expect(confirmedOf(await sendByBearer((await auth.logIn()).access))).toEqual([200, "acks"]);
    expect(
      confirmedOf(
        await logOut(
          (
            await auth
              .send("POST", "/api/token/", {
                body: { ...alice, password: newPassword },
              })
              .then((response) => response.json() as Promise<{ access: string }>)
          ).access,
          "local",
        ),
      ),
    ).toEqual([200, null]);
  });

  it("says pending if a node is silent for longer than confirmTimeout, and the change is durable", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { confirmRevocations: true, confirmTimeout: 0.05 } });
    await auth.store.nodes.register({ id: "silent", name: null, lease: 10_000, accessTokenLifetime: 1_800 });
    const [own, other] = [await auth.logIn(), await auth.logIn()];
    expect(confirmedOf(await logOut(own.access, "others"))).toEqual([200, "pending"]);
    expect([await isAccepted(own.access), await isAccepted(other.access)]).toEqual([true, false]);
  });

  it("says pending if the request is repeated because its answer was lost", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: confirming });
    const { access } = await auth.logIn();
    const logOutAll = (token: string) =>
      auth.send("POST", "/api/auth/logout/", {
        headers: { Authorization: `Bearer ${token}`, "Idempotency-Key": key },
        body: { scope: "all" },
      });
    expect(confirmedOf(await sendByBearer(access))).toEqual([200, "acks"]);
    const repeated = await sendByBearer(access);
    const { access: next } = (await repeated.clone().json()) as { access: string };
    expect(confirmedOf(repeated)).toEqual([200, "pending"]);
    expect(confirmedOf(await logOutAll(next))).toEqual([200, "acks"]);
    expect(confirmedOf(await logOutAll(next))).toEqual([200, "pending"]);
  });

  it("is missing if confirmRevocations is off", async () => {
    await auth.close();
    auth = await createTestAuth({ settings: { confirmRevocations: false } });
    expect(confirmedOf(await logOut((await auth.logIn()).access, "all"))).toEqual([200, null]);
  });
});
