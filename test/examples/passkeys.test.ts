import type { Browser, BrowserContext, CDPSession, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chromiumBrowser } from "../browser/playwright.ts";
import { findFreePort } from "../support/free-port.ts";
import { isInstalled, type RunningExample, startExample } from "./running.ts";

describe.skipIf(!isInstalled("logins"))("the example of passkeys", () => {
  let browser: Browser;
  let example: RunningExample;
  let context: BrowserContext;
  let page: Page;
  let devices: CDPSession;
  let authenticatorId: string;

  beforeAll(async () => {
    const { type, toOptions } = chromiumBrowser({});
    browser = await type.launch(await toOptions());
    example = await startExample("logins/passkeys.ts", { PORT: `${await findFreePort()}` });
  });
  afterAll(async () => {
    await browser?.close();
    await example?.stop();
  });
  beforeEach(async () => {
    context = await browser.newContext();
    page = await context.newPage();
    devices = await context.newCDPSession(page);
    await devices.send("WebAuthn.enable");
    const authenticator = await devices.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    authenticatorId = authenticator.authenticatorId;
    await page.goto(example.url);
    await page.getByText("anonymous").waitFor();
  });
  afterEach(() => context.close());

  const see = (text: string | RegExp) => page.getByText(text).waitFor();
  const press = async (id: string, result = `${id}: done`) => {
    await page.click(`#${id}`);
    await see(result);
  };
  const logInByPassword = async () => {
    await page.fill("[name=password]", "correct horse battery staple");
    await page.click("[type=submit]");
    await see("password: done");
  };
  /** Registers a passkey of alice, who is logged in by the password until then. */
  const register = async () => {
    await logInByPassword();
    await press("register");
    await press("logout");
    await see("anonymous");
  };
  /** Does something, and returns the last request that it sent to a path. */
  const requestOf = async (path: string, act: () => Promise<void>) => {
    const request = page.waitForRequest(`${example.url}${path}`);
    await act();
    return request;
  };
  /** Does what needs a recent passkey, and returns by which methods the user was then authenticated. */
  const transfer = async () => {
    const accepted = page.waitForResponse((response) => response.url().endsWith("/transfer") && response.ok());
    await press("transfer");
    return ((await (await accepted).json()) as { readonly amr: readonly string[] }).amr;
  };

  it("logs in with a passkey that was registered before, without a name or a password", async () => {
    await register();
    await press("login");
    await see("alice is logged in");
    expect(await transfer()).toEqual(["hwk", "user", "mfa"]);
    console.log("examples: passkeys: registers one, and logs in with it");
  });

  it("confirms with the passkey what a login by password may not do", async () => {
    await logInByPassword();
    await press("register");
    const refused = page.waitForResponse(`${example.url}/transfer`);
    const amr = await transfer();
    expect([(await refused).status(), amr]).toEqual([401, ["pwd", "hwk", "user", "mfa"]]);
    console.log("examples: passkeys: confirms a session that began by password");
  });

  it("refuses an answer that was used, and an answer of another browser", async () => {
    await register();
    const request = await requestOf("/passkeys/login", () => press("login"));
    const data = request.postDataJSON();
    const repeated = await context.request.post(request.url(), { data });
    expect([repeated.status(), await repeated.json()]).toEqual([400, { detail: "The passkey isn't valid." }]);

    await press("logout");
    await page.route("**/passkeys/login", (route) => route.fulfill({ status: 400, json: { detail: "kept back" } }));
    const unused = await requestOf("/passkeys/login", () => press("login", "login: kept back"));
    const other = await browser.newContext();
    const stolen = await other.request.post(unused.url(), { data: unused.postDataJSON() });
    expect([stolen.status(), stolen.headers()["set-cookie"]]).toEqual([400, undefined]);
    await other.close();
    // Its own browser may use it. So that was why.
    expect((await context.request.post(unused.url(), { data: unused.postDataJSON() })).status()).toBe(204);
  });

  it("lets one of 64 requests with the same answer log in", async () => {
    await register();
    await page.route("**/passkeys/login", (route) => route.fulfill({ status: 400, json: { detail: "kept back" } }));
    const request = await requestOf("/passkeys/login", () => press("login", "login: kept back"));
    const post = () => context.request.post(request.url(), { data: request.postDataJSON() });
    const answers = await Promise.all(Array.from({ length: 64 }, post));
    expect(answers.map((answer) => answer.status()).sort()).toEqual([204, ...Array(63).fill(400)]);
  });

  it("refuses a passkey whose counter was not raised", async () => {
    await register();
    const { credentials } = await devices.send("WebAuthn.getCredentials", { authenticatorId });
    const [credential] = credentials;
    if (credential === undefined) throw new Error("no credential");
    await press("login");
    await press("logout");
    // A copy of the passkey, made before that login.
    await devices.send("WebAuthn.removeCredential", { authenticatorId, credentialId: credential.credentialId });
    await devices.send("WebAuthn.addCredential", { authenticatorId, credential });
    await press("login", "login: The passkey isn't valid.");
  });

  it("refuses a login without user verification, and an answer that isn't one", async () => {
    await register();
    await devices.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    await page.click("#login");
    await see(/login: (?!done)/);
    expect(await page.getByText("alice is logged in").count()).toBe(0);
    for (const data of [{}, { id: 1 }, { id: "x", response: null }]) {
      expect((await context.request.post(`${example.url}/passkeys/login`, { data })).status()).toBe(400);
    }
  });

  it("refuses to register a passkey without a session, and from another site's page", async () => {
    const register = `${example.url}/passkeys/register`;
    expect((await context.request.post(register, { data: {} })).status()).toBe(401);
    await logInByPassword();
    // By cookies, but without the CSRF token.
    expect((await context.request.post(register, { data: {} })).status()).toBe(403);
  });
});
