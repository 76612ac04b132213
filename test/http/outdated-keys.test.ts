import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoreUnavailableError } from "../../src/core/errors.ts";
import type { Store } from "../../src/core/store/index.ts";
import { createLogins } from "../../src/create-logins.ts";
import type { Keys } from "../../src/keys/keys.ts";
import { alice, createTestAuth, type TestAuth } from "../support/auth.ts";
import { type Browser, createBrowser, ownOrigin } from "../support/browser.ts";

const newPassword = "another horse battery staple";
const key = "an-idempotency-key-of-128-bits";

let t: TestAuth;
let browser: Browser;
/** Whether the next change of a session is the last thing before the keys become outdated. */
let isArmed = false;
let areKeysAway = false;
let needsStep = false;

/** Lets the node learn that its keys have changed, while it can't read them, until it may no longer use the ones that it has. */
function loseKeys(): void {
  areKeysAway = true;
  for (let report = 0; report < 2; report++) {
    (t.deps.keys as Keys).observe({ keysVersion: 99, incarnation: "another" });
    t.clock.stall(11);
  }
}

/** Loses the keys when one of the methods has made its change. */
const wrap = <T extends object>(part: T, ...names: readonly (keyof T)[]): T =>
  new Proxy(part, {
    get: (target, name) => {
      const member = Reflect.get(target, name);
      if (typeof member !== "function" || !names.includes(name as keyof T)) return member;
      return async (...args: unknown[]) => {
        const result = await member.apply(target, args);
        if (isArmed) loseKeys();
        return result;
      };
    },
  });

const wrapStore = (store: Store): Store => ({
  ...store,
  sessions: wrap(store.sessions, "create", "rotate", "decide"),
  users: wrap(store.users, "changePassword"),
  tickets: wrap(store.tickets, "redeem"),
  keys: {
    ...store.keys,
    read: async () => {
      if (areKeysAway) throw new StoreUnavailableError("keys.read: away");
      return store.keys.read();
    },
  },
});

beforeEach(async () => {
  [isArmed, areKeysAway, needsStep] = [false, false, false];
  const settings = {
    afterPassword: () => (needsStep ? { methods: ["otp"] } : null),
    verifySecondFactor: () => ["otp"],
  };
  t = await createTestAuth({ settings, wrapStore });
  browser = createBrowser(t);
  await browser.logIn();
});
afterEach(() => t.close());

async function getTicket(): Promise<string> {
  needsStep = true;
  const { ticket } = (await (await t.send("POST", "/api/token/", { body: alice })).json()) as { ticket: string };
  return ticket;
}

type Send = () => Promise<Response>;

/** Sends a request once, whose answer is lost, and returns how it is repeated. */
async function sendOnce(send: Send): Promise<Send> {
  expect((await send()).status).toBe(200);
  return send;
}

const change = () => {
  const cookies = ["__Host-Http-access", "__Secure-refresh", "__Host-csrftoken"].map(
    (name) => [name, browser.cookie(name) ?? ""] as const,
  );
  const headers = {
    Cookie: cookies.map((cookie) => cookie.join("=")).join("; "),
    "X-CSRFToken": cookies[2]?.[1] ?? "",
    "Idempotency-Key": key,
    "Sec-Fetch-Site": "same-origin",
    Origin: ownOrigin,
  };
  const body = { current_password: alice.password, new_password: newPassword };
  return () => t.send("POST", "/api/auth/password/", { headers, body });
};

const requests: readonly (readonly [name: string, prepare: () => Send | Promise<Send>])[] = [
  ["a login", () => () => browser.post("/api/auth/login/", alice)],
  [
    "a login by a form",
    () => () => {
      const body = new URLSearchParams({ ...alice, csrfmiddlewaretoken: browser.cookie("__Host-csrftoken") ?? "" });
      const headers = { "Content-Type": "application/x-www-form-urlencoded", "X-CSRFToken": null };
      return browser.post("/api/auth/login/", body.toString(), headers);
    },
  ],
  [
    "the second step of a login",
    async () => {
      const ticket = await getTicket();
      return () => browser.post("/api/auth/login/continue/", { ticket });
    },
  ],
  [
    "a repeated second step of a login",
    async () => {
      const ticket = await getTicket();
      return sendOnce(() => browser.post("/api/auth/login/continue/", { ticket }, { "Idempotency-Key": key }));
    },
  ],
  ["a refresh", () => () => browser.post("/api/auth/refresh/")],
  ["a password change", change],
  ["a repeated password change", () => sendOnce(change())],
];

describe("a change whose keys become outdated right after its commit", () => {
  it.each(requests)("%s is answered with all of its cookies", async (name, prepare) => {
    const send = await prepare();
    isArmed = true;
    const response = await send();
    expect([response.status, areKeysAway]).toEqual([name === "a login by a form" ? 303 : 200, true]);
    expect(response.headers.getSetCookie()).toHaveLength(name === "a refresh" ? 3 : 4);
    expect(() => t.deps.keys.current()).toThrow("unavailable");
  });

  it("startSession returns all cookies", async () => {
    const logins = createLogins(t.deps, () => t.deps);
    isArmed = true;
    const request = { headers: {}, url: "/", socket: { remoteAddress: "192.0.2.1" } };
    const { cookies } = await logins.startSession(request as never, t.user.id);
    expect([cookies.length, areKeysAway]).toEqual([4, true]);
  });
});
