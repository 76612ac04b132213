import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import type { Store } from "../../src/core/store/index.ts";
import { createServiceCredential } from "../../src/crypto/service-credential.ts";
import { alice, createTestAuth, type TestAuth, testStart as time } from "../support/auth.ts";
import { createBrowser } from "../support/browser.ts";
import { addService, type TestService, toBasic } from "../support/services.ts";
import { sendFrom } from "./guesses.ts";
import { expectRefusal } from "./refusals.ts";

const refused = {
  status: 401,
  body: { detail: "Service credential is missing or invalid.", code: "invalid_client" },
  challenge: 'Basic realm="services"',
};

/** The endpoints for services, and the scope that each needs. */
const endpoints = [
  ["/api/token/introspect/", "introspect"],
  ["/api/token/revoke/", "revoke"],
] as const;

let auth: TestAuth;
let service: TestService;
let isDown = false;

/** Fails while `isDown`. */
function withSwitch(store: Store): Store {
  const find: Store["services"]["find"] = async (hash) => {
    if (isDown) throw new StoreUnavailableError("away");
    return store.services.find(hash);
  };
  return { ...store, services: { ...store.services, find } };
}

beforeEach(async () => {
  auth = await createTestAuth({ settings: { serviceFailureLimit: 3 }, wrapStore: withSwitch });
  service = await addService(auth, ["introspect", "revoke"]);
});
afterEach(async () => {
  isDown = false;
  await auth.close();
});

const ask = (headers: HeadersInit, path = "/api/token/introspect/", send = auth.send) =>
  send("POST", path, { headers, body: { token: "x" } });

const refusals = () => auth.events.filter(({ type }) => type === "service_refused");

describe.each(endpoints)("%s", (path, scope) => {
  it("accepts a service's credential as a bearer token, and as the password of its name", async () => {
    for (const headers of [service.bearer, service.basic]) expect((await ask(headers, path)).status).toBe(200);
    expect(refusals()).toEqual([]);
  });

  it("answers 401 with a challenge to a request without a credential, and emits nothing", async () => {
    await expectRefusal(await ask({}, path), refused);
    expect(refusals()).toEqual([]);
  });

  it("answers 401 to an unknown credential, and to another service's name", async () => {
    const { credential } = createServiceCredential((size) => new Uint8Array(size));
    await expectRefusal(await ask({ Authorization: `Bearer ${credential}` }, path), refused);
    await expectRefusal(await ask(toBasic("shop", service.credential), path), refused);
    await expectRefusal(await ask(toBasic("Billing", service.credential), path), refused);
    const event = { type: "service_refused", time, refusal: "invalid_client", client: expect.anything() };
    const known = { ...event, service: "billing" };
    expect(refusals()).toEqual([event, known, known]);
  });

  it("answers 401 to a user's access token, refresh token and password, and to cookies", async () => {
    const { access, refresh } = await auth.logIn();
    for (const token of [access, refresh]) {
      await expectRefusal(await ask({ Authorization: `Bearer ${token}` }, path), refused);
      await expectRefusal(await ask(toBasic(service.name, token), path), refused);
    }
    await expectRefusal(await ask(toBasic(alice.username, alice.password), path), refused);
    const browser = createBrowser(auth);
    await browser.logIn();
    await expectRefusal(await browser.post(path, { token: access }), refused);
    expect((await browser.post(path, { token: access }, service.bearer)).status).toBe(200);
  });

  it("answers 403 to a service that lacks the scope, whatever the body, and names the service in the event", async () => {
    const other = await addService(auth, scope === "revoke" ? ["feed", "introspect"] : ["feed", "revoke"], "other");
    for (const body of [{ token: "x" }, "{"]) {
      const response = await auth.send("POST", path, { headers: other.bearer, body });
      expect([response.status, await response.json()]).toEqual([
        403,
        { detail: "The service lacks the required scope.", code: "insufficient_scope" },
      ]);
    }
    const event = { type: "service_refused", time, refusal: "insufficient_scope", service: "other" };
    expect(refusals()).toEqual([
      { ...event, client: expect.anything() },
      { ...event, client: expect.anything() },
    ]);
  });

  it("answers 401 as soon as the service is revoked, and 503 while the store does not answer", async () => {
    isDown = true;
    expect((await ask(service.basic, path)).status).toBe(503);
    isDown = false;
    expect((await ask(service.basic, path)).status).toBe(200);
    await auth.store.services.revoke(service.name);
    await expectRefusal(await ask(service.basic, path), refused);
  });

  it("accepts the replaced credential until its overlap is over, and no longer", async () => {
    const next = createServiceCredential(auth.deps.random);
    const { hash: credentialHash, prefix } = next;
    await auth.store.services.rotate(service.name, { credentialHash, prefix, overlap: 60 });
    auth.clock.advance(59);
    expect((await ask(service.basic, path)).status).toBe(200);
    expect((await ask(toBasic(service.name, next.credential), path)).status).toBe(200);
    auth.clock.advance(1);
    await expectRefusal(await ask(service.basic, path), refused);
    expect((await ask(toBasic(service.name, next.credential), path)).status).toBe(200);
  });
});

describe("wrong service credentials", () => {
  const wrong = { Authorization: "Bearer wrong" };
  const from = (ip: string) => sendFrom(auth, ip);

  it("are refused with 429 once an address has sent too many, with one event a minute", async () => {
    const send = from("192.0.2.1");
    const statuses = [];
    for (let n = 0; n < 5; n++) statuses.push((await ask(wrong, "/api/token/introspect/", send)).status);
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    expect((await ask({}, "/api/token/revoke/", send)).status).toBe(401);
    const response = await ask(service.basic, "/api/token/revoke/", send);
    expect([response.status, await response.json()]).toEqual([
      429,
      { detail: expect.stringMatching(/^Too many requests\./), code: "throttled" },
    ]);
    expect(Number(response.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect((await ask(service.basic, "/api/token/revoke/", from("192.0.2.2"))).status).toBe(200);
    const client = { ip: "192.0.2.1", userAgent: undefined };
    const event = { type: "service_refused", time, client };
    const failed = { ...event, refusal: "invalid_client" };
    expect(refusals()).toEqual([failed, failed, failed, { ...event, refusal: "throttled" }]);
  });

  it("do not stop a service at the same address whose credential was accepted before", async () => {
    const send = from("192.0.2.1");
    expect((await ask(service.basic, "/api/token/introspect/", send)).status).toBe(200);
    for (let n = 0; n < 5; n++) await ask(wrong, "/api/token/introspect/", send);
    expect((await ask(service.basic, "/api/token/introspect/", send)).status).toBe(200);
    expect((await ask(service.bearer, "/api/token/introspect/", send)).status).toBe(200);
    // Being known is no more than being looked at: a revoked credential is refused, and then counts as any other.
    await auth.store.services.revoke(service.name);
    expect((await ask(service.basic, "/api/token/introspect/", send)).status).toBe(401);
    expect((await ask(service.basic, "/api/token/introspect/", send)).status).toBe(429);
  });

  it("cost no query once the address is over the limit, and are not counted while the store does not answer", async () => {
    const send = from("192.0.2.1");
    isDown = true;
    for (let n = 0; n < 5; n++) {
      expect((await ask(service.basic, "/api/token/introspect/", send)).status).toBe(503);
    }
    isDown = false;
    for (let n = 0; n < 3; n++) await ask(wrong, "/api/token/introspect/", send);
    isDown = true;
    expect((await ask(service.basic, "/api/token/introspect/", send)).status).toBe(429);
  });

  it("are not counted if the credential is missing, lacks the scope, or comes from an unknown address", async () => {
    const send = from("192.0.2.1");
    const other = await addService(auth, ["feed"], "other");
    for (let n = 0; n < 5; n++) {
      expect((await ask({}, "/api/token/revoke/", send)).status).toBe(401);
      expect((await ask(other.basic, "/api/token/revoke/", send)).status).toBe(403);
      expect((await ask(wrong)).status).toBe(401);
    }
  });

  it("are not limited if serviceFailureLimit is 0", async () => {
    const own = await createTestAuth({ settings: { serviceFailureLimit: 0 } });
    for (let n = 0; n < 70; n++) {
      expect((await ask(wrong, "/api/token/revoke/", sendFrom(own, "192.0.2.1"))).status).toBe(401);
    }
    await own.close();
  });
});

it("puts no credential into an event, an error or a body", async () => {
  const texts: string[] = [];
  for (const headers of [service.basic, service.bearer, toBasic("shop", service.credential)]) {
    texts.push(await (await ask(headers)).text());
  }
  isDown = true;
  texts.push(await (await ask(service.basic)).text());
  const everything = JSON.stringify([texts, auth.events, auth.errors.map(String)]);
  expect(everything).not.toContain(service.credential.slice(4, 20));
  expect(everything).not.toContain(service.basic.Authorization.slice(6));
});
