import { afterEach, describe, expect, it } from "vitest";
import { session } from "./peer.ts";
import { closeVerifiers, setUpReady } from "./set-up.ts";

afterEach(closeVerifiers);

const csrf = `s${"r".repeat(22)}.${"m".repeat(43)}`;

interface Sent {
  readonly method?: string | undefined;
  readonly cookies?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

async function setUpRequests(settings: Parameters<typeof setUpReady>[0] = {}) {
  const { peer, verifier } = await setUpReady(settings);
  const access = peer.mint();
  const names = settings.settings?.insecureCookies
    ? { access: "access", csrf: "csrftoken" }
    : { access: "__Host-Http-access", csrf: settings.settings?.csrfCookieName ?? "__Host-csrftoken" };
  /** The status and detail with which a request is refused; 200 if it isn't. */
  async function statusOf({ method = "POST", cookies = {}, headers = {} }: Sent) {
    const all = { [names.access]: access, [names.csrf]: csrf, ...cookies };
    const cookie = Object.entries(all)
      .filter(([, value]) => value !== "")
      .map(([name, value]) => `${name}=${value}`)
      .join("; ");
    const checked = await verifier.check({ method, headers: { host: "app.example", cookie, ...headers } });
    if (checked.ok) return [200];
    return [checked.response.status, (await checked.response.json()).detail];
  }
  return { statusOf, verifier, access, peer };
}

const sameOrigin = { "sec-fetch-site": "same-origin" };
const withToken = { ...sameOrigin, "x-csrftoken": csrf };
const refused = (reason: string) => [403, `CSRF Failed: ${reason}`];

describe("a request by cookie at a verifier", () => {
  it("needs nothing else for a safe method", async () => {
    const { statusOf } = await setUpRequests();
    for (const method of ["GET", "HEAD", "OPTIONS"]) expect(await statusOf({ method })).toEqual([200]);
  });

  it("needs the CSRF token for any other method, and for an unknown one", async () => {
    const { statusOf } = await setUpRequests();
    for (const method of ["POST", "DELETE", "PROPFIND", "get"]) {
      expect(await statusOf({ method, headers: sameOrigin })).toEqual(refused("CSRF token missing."));
      expect(await statusOf({ method, headers: withToken })).toEqual([200]);
    }
  });

  it.each<[string, Sent, string]>([
    [
      "another CSRF token",
      { headers: { ...withToken, "x-csrftoken": `${csrf}x` } },
      "CSRF token does not match the cookie.",
    ],
    [
      "no CSRF cookie",
      { headers: withToken, cookies: { "__Host-csrftoken": "" } },
      "CSRF cookie not set. Get it from csrf/ first. If you did, the browser blocks this site's cookies.",
    ],
    [
      "a page of another site",
      { headers: { ...withToken, "sec-fetch-site": "cross-site" } },
      "Origin checking failed.",
    ],
    [
      "a page of the same site",
      { headers: { ...withToken, "sec-fetch-site": "same-site" } },
      "Origin checking failed.",
    ],
    ["another origin", { headers: { "x-csrftoken": csrf, origin: "https://evil.example" } }, "Origin checking failed."],
    ["the origin null", { headers: { "x-csrftoken": csrf, origin: "null" } }, "Origin checking failed."],
    [
      "a CSRF token from before a login",
      {
        headers: { ...sameOrigin, "x-csrftoken": `n${csrf.slice(1)}` },
        cookies: { "__Host-csrftoken": `n${csrf.slice(1)}` },
      },
      "CSRF token does not belong to this session.",
    ],
  ])("is refused with %s", async (_, sent, reason) => {
    const { statusOf } = await setUpRequests();
    expect(await statusOf(sent)).toEqual(refused(reason));
  });

  it("is refused if two cookies have the access cookie's name", async () => {
    const { verifier, access } = await setUpRequests();
    const cookie = `__Host-Http-access=${access}; __Host-Http-access=${access}`;
    expect(await verifier.check({ method: "GET", headers: { cookie } })).toMatchObject({ response: { status: 403 } });
  });

  it("may come from an origin in trustedOrigins", async () => {
    const settings = { trustedOrigins: ["https://app.example.com"] };
    const { statusOf } = await setUpRequests({ settings });
    const headers = { "x-csrftoken": csrf, origin: "https://app.example.com", "sec-fetch-site": "same-site" };
    expect(await statusOf({ headers })).toEqual([200]);
  });

  it("need not say its origin if only this host can have set the CSRF cookie", async () => {
    const headers = { "x-csrftoken": csrf };
    expect(await (await setUpRequests()).statusOf({ headers })).toEqual([200]);
    for (const settings of [{ csrfCookieName: "__Secure-csrf" }, { insecureCookies: true }]) {
      const { statusOf } = await setUpRequests({ settings });
      expect(await statusOf({ headers })).toEqual(refused("Origin checking failed."));
      expect(await statusOf({ headers: withToken })).toEqual([200]);
    }
  });

  it("that upgrades to a WebSocket needs an allowed origin", async () => {
    const { statusOf } = await setUpRequests();
    const upgrade = { method: "GET", headers: { upgrade: "websocket" } };
    expect(await statusOf(upgrade)).toEqual(refused("Origin checking failed."));
    expect(await statusOf({ ...upgrade, headers: { ...upgrade.headers, ...sameOrigin } })).toEqual([200]);
  });

  it("is judged by its token before its CSRF token, as at the issuer", async () => {
    const { statusOf } = await setUpRequests();
    const sent = { headers: sameOrigin, cookies: { "__Host-Http-access": "garbage" } };
    expect((await statusOf(sent))[0]).toBe(401);
  });
});

describe("a request with a bearer token at a verifier", () => {
  it("needs neither, and counts also if there is a cookie", async () => {
    const { statusOf, access } = await setUpRequests();
    const headers = { authorization: `Bearer ${access}`, "sec-fetch-site": "cross-site" };
    expect(await statusOf({ headers, cookies: { "__Host-Http-access": "garbage" } })).toEqual([200]);
  });

  it("may be a Fetch request, or its headers with the method", async () => {
    const { verifier, access } = await setUpRequests();
    const headers = new Headers({ authorization: `Bearer ${access}` });
    expect(verifier.authenticate(new Request("https://app.example/", { headers }))).toMatchObject(session);
    expect(verifier.authenticate(headers)).toMatchObject(session);
    const cookie = new Headers({ cookie: `__Host-Http-access=${access}` });
    expect(verifier.authenticate(cookie, { method: "GET" })).toMatchObject(session);
    expect(() => verifier.authenticate(cookie)).toThrow(expect.objectContaining({ code: "csrf_failed" }));
  });

  it("is refused with the response of the HTTP contract", async () => {
    const { verifier, peer } = await setUpRequests();
    const check = async (authorization?: string) => {
      const checked = await verifier.check({ method: "GET", headers: { ...(authorization && { authorization }) } });
      if (checked.ok) throw new Error("accepted");
      const { status, headers } = checked.response;
      return [status, headers.get("WWW-Authenticate"), headers.get("Cache-Control"), await checked.response.json()];
    };
    expect(await check()).toEqual([
      401,
      'Bearer realm="api"',
      "no-store",
      { detail: "Authentication credentials were not provided.", code: "not_authenticated" },
    ]);
    await peer.revoke([["s", session.sessionId]]);
    expect(await check(`Bearer ${peer.mint()}`)).toEqual([
      401,
      'Bearer realm="api", error="invalid_token"',
      "no-store",
      {
        detail: "Given token not valid for any token type",
        code: "token_not_valid",
        messages: [{ token_class: "AccessToken", token_type: "access", message: "Token is blacklisted" }],
      },
    ]);
    verifier.close();
    expect((await check(`Bearer ${peer.mint()}`)).slice(0, 3)).toEqual([503, null, "no-store"]);
  });
});

describe("a requirement of recent authentication at a verifier", () => {
  it("refuses a token that doesn't say when its user was authenticated, in every way of asking", async () => {
    const { verifier, access } = await setUpRequests();
    const request = { method: "GET", headers: { authorization: `Bearer ${access}` } };
    const checked = await verifier.check(request, { maxAge: 60 });
    expect(checked.ok ? 200 : [checked.response.status, (await checked.response.json()).code]).toEqual([
      401,
      "confirmation_required",
    ]);
    const required = expect.objectContaining({ code: "confirmation_required" });
    expect(() => verifier.authenticate(request, { amr: ["otp"] })).toThrow(required);
    await expect(verifier.authenticateAsync(request, { maxAge: 60 })).rejects.toEqual(required);
  });
});
