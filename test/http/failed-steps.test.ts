import { afterEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import { systemRandom } from "../../src/core/runtime/random.ts";
import type { Store } from "../../src/core/store/index.ts";
import { alice, createTestAuth, type TestAuth } from "../support/auth.ts";
import { type Browser, createBrowser } from "../support/browser.ts";
import { addService, type TestService } from "../support/services.ts";

/** More steps than any route takes. */
const maxSteps = 60;

/** Fails one step of a request: the call of a store method, of the random numbers, or of a hook. */
function createFaults() {
  let left = Number.POSITIVE_INFINITY;
  const step = () => {
    left -= 1;
    if (left === 0) throw new StoreUnavailableError("this step was made to fail");
  };
  const wrap = <T extends object>(part: T): T =>
    new Proxy(part, {
      get: (target, name) => {
        const member = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return async (...args: unknown[]) => {
          step();
          return member.apply(target, args);
        };
      },
    });
  return {
    step,
    /** Makes the step with this number fail, counted from 1. */
    arm: (number: number) => {
      left = number;
    },
    /** Lets every step succeed. @returns whether the armed step was reached. */
    disarm: () => {
      const isReached = left <= 0;
      left = Number.POSITIVE_INFINITY;
      return isReached;
    },
    wrapStore: (store: Store): Store => ({
      ...store,
      users: wrap(store.users),
      sessions: wrap(store.sessions),
      throttle: wrap(store.throttle),
      services: wrap(store.services),
      feed: { ...store.feed, revokeToken: wrap({ revokeToken: store.feed.revokeToken }).revokeToken },
      tickets: wrap(store.tickets),
    }),
  };
}

type Faults = ReturnType<typeof createFaults>;

/** A request that changes something; it may be sent again. */
type Send = () => Promise<Response>;

interface Scene {
  readonly t: TestAuth;
  readonly browser: Browser;
  /** The session of `browser`. */
  readonly sessionId: string;
  /** Another session of alice. */
  readonly other: { readonly access: string; readonly refresh: string; readonly sessionId: string };
  /** A service that may revoke tokens. */
  readonly service: TestService;
  readonly ticket: string;
}

const newPassword = "another horse battery staple";

const routes: readonly (readonly [name: string, toSend: (scene: Scene) => Send])[] = [
  [
    "POST token/",
    ({ t }) =>
      () =>
        t.send("POST", "/api/token/", { body: alice }),
  ],
  [
    "POST token/refresh/",
    ({ t, other: { refresh } }) => {
      const headers = { "Idempotency-Key": "a".repeat(22) };
      return () => t.send("POST", "/api/token/refresh/", { body: { refresh }, headers });
    },
  ],
  [
    "POST token/blacklist/",
    ({ t, other: { refresh } }) =>
      () =>
        t.send("POST", "/api/token/blacklist/", { body: { refresh } }),
  ],
  [
    "POST token/revoke/ of a refresh token",
    ({ t, other: { refresh }, service }) =>
      () =>
        t.send("POST", "/api/token/revoke/", { body: { token: refresh }, headers: service.basic }),
  ],
  [
    "POST token/revoke/ of an access token",
    ({ t, other: { access }, service }) =>
      () =>
        t.send("POST", "/api/token/revoke/", { body: { token: access }, headers: service.basic }),
  ],
  [
    "POST auth/login/",
    ({ browser }) =>
      () =>
        browser.post("/api/auth/login/", alice),
  ],
  [
    "POST auth/refresh/",
    ({ browser }) =>
      () =>
        browser.post("/api/auth/refresh/", {}, { "Idempotency-Key": "b".repeat(22) }),
  ],
  [
    "POST auth/logout/ local",
    ({ browser }) =>
      () =>
        browser.post("/api/auth/logout/", {}),
  ],
  [
    "POST auth/logout/ others",
    ({ browser }) =>
      () =>
        browser.post("/api/auth/logout/", { scope: "others" }),
  ],
  [
    "POST auth/logout/ all",
    ({ browser }) =>
      () =>
        browser.post("/api/auth/logout/", { scope: "all" }),
  ],
  [
    "DELETE auth/sessions/{id}/",
    ({ browser, other }) =>
      () =>
        browser.send("DELETE", `/api/auth/sessions/${other.sessionId}/`),
  ],
  [
    "PATCH auth/sessions/{id}/",
    ({ browser, other }) =>
      () =>
        browser.send("PATCH", `/api/auth/sessions/${other.sessionId}/`, { body: { label: "x" } }),
  ],
  [
    "POST auth/password/",
    ({ browser }) =>
      () =>
        browser.post("/api/auth/password/", { current_password: alice.password, new_password: newPassword }),
  ],
  [
    "POST auth/login/continue/",
    ({ browser, ticket }) =>
      () =>
        browser.post("/api/auth/login/continue/", { ticket, code: "1" }, { "Idempotency-Key": "c".repeat(22) }),
  ],
  [
    "POST token/continue/",
    ({ t, ticket }) => {
      const headers = { "Idempotency-Key": "e".repeat(22) };
      return () => t.send("POST", "/api/token/continue/", { body: { ticket, code: "1" }, headers });
    },
  ],
  [
    "POST auth/confirm/",
    ({ browser }) =>
      () =>
        browser.post("/api/auth/confirm/", { password: alice.password }),
  ],
  [
    "POST auth/password/ by bearer token",
    ({ t, other }) => {
      const body = { current_password: alice.password, new_password: newPassword };
      return () => t.send("POST", "/api/auth/password/", { body, headers: toBearer(other.access, "c".repeat(22)) });
    },
  ],
  ...(["local", "others", "all"] as const).map((scope): (typeof routes)[number] => [
    `POST auth/logout/ ${scope} by bearer token`,
    ({ t, other }) =>
      () =>
        t.send("POST", "/api/auth/logout/", { body: { scope }, headers: toBearer(other.access, "d".repeat(22)) }),
  ]),
];

const toBearer = (access: string, key: string) => ({ Authorization: `Bearer ${access}`, "Idempotency-Key": key });

let t: TestAuth;
afterEach(() => t.close());

async function createScene(faults: Faults): Promise<Scene> {
  let needsStep = false;
  const settings = {
    claims: () => {
      faults.step();
      return { role: "admin" };
    },
    publicClaims: () => {
      faults.step();
      return { plan: "pro" };
    },
    onLoginSuccess: () => faults.step(),
    afterPassword: () => (needsStep ? { methods: ["otp"] } : null),
    verifySecondFactor: () => {
      faults.step();
      return ["otp"];
    },
  };
  const random = (size: number) => {
    faults.step();
    return systemRandom(size);
  };
  t = await createTestAuth({ settings, wrapStore: faults.wrapStore, random });
  const browser = createBrowser(t);
  const { sessionId } = await browser.logIn();
  const pair = await t.logIn();
  const other = { ...pair, sessionId: t.deps.tokens.verifyRefresh(pair.refresh).sessionId };
  needsStep = true;
  const { ticket } = (await (await t.send("POST", "/api/token/", { body: alice })).json()) as { ticket: string };
  needsStep = false;
  return { t, browser, sessionId, other, ticket, service: await addService(t, ["revoke"]) };
}

/** Everything that a request may change, except counts of failed logins. */
async function readState({ t, sessionId, other }: Scene) {
  return {
    user: await t.deps.store.users.findById(t.user.id),
    sessions: [await t.deps.store.sessions.find(sessionId), await t.deps.store.sessions.find(other.sessionId)],
    live: (await t.deps.store.sessions.list({ userId: t.user.id, limit: 100 })).sessions.length,
  };
}

describe("a request of which one step fails", () => {
  it.each(routes)("%s has changed nothing, or succeeds when it is repeated", async (_, toSend) => {
    let failures = 0;
    for (let number = 1; number <= maxSteps; number++) {
      const faults = createFaults();
      const scene = await createScene(faults);
      const send = toSend(scene);
      const before = await readState(scene);
      faults.arm(number);
      const response = await send();
      const isReached = faults.disarm();
      if (response.status >= 300) {
        failures += 1;
        expect(response.status).toBeGreaterThanOrEqual(500);
        const isUnchanged = JSON.stringify(await readState(scene)) === JSON.stringify(before);
        if (!isUnchanged) expect((await send()).status).toBeLessThan(300);
        // The session and its cookies are as good as before.
        expect((await send()).status).toBeLessThan(300);
      }
      if (!isReached) break;
      await t.close();
    }
    expect(failures).toBeGreaterThan(0);
  });
});

describe("claims that are too long for a cookie", () => {
  let length = 10;

  async function start(): Promise<Browser> {
    length = 10;
    // A test that moves the clock doesn't make the feed stale, so no request waits for a read of it.
    const maxStaleness = 3_600;
    t = await createTestAuth({ settings: { maxStaleness, claims: () => ({ roles: "r".repeat(length) }) } });
    const browser = createBrowser(t);
    await browser.logIn();
    length = 3_200;
    return browser;
  }

  it("refuse a refresh before it rotates, so that the next one succeeds", async () => {
    const browser = await start();
    expect((await browser.post("/api/auth/refresh/")).status).toBe(503);
    expect(String((t.errors[0] as Error).cause)).toMatch(/claims: the access token would have \d+ characters/);
    t.clock.advance(60);
    length = 10;
    expect((await browser.post("/api/auth/refresh/")).status).toBe(200);
    expect((await browser.get("/api/auth/me/")).status).toBe(200);
  });

  it("refuse a login before it creates a session", async () => {
    const browser = await start();
    expect((await browser.post("/api/auth/login/", alice)).status).toBe(503);
    expect((await t.store.sessions.list({ userId: t.user.id, limit: 10 })).sessions).toHaveLength(1);
  });

  it("refuse a password change before it changes the password", async () => {
    const browser = await start();
    const body = { current_password: alice.password, new_password: newPassword };
    expect((await browser.post("/api/auth/password/", body)).status).toBe(503);
    length = 10;
    expect((await browser.post("/api/auth/password/", body)).status).toBe(200);
  });

  it("are fine for the token endpoints, which set no cookies", async () => {
    await start();
    expect((await t.send("POST", "/api/token/", { body: alice })).status).toBe(200);
  });
});
