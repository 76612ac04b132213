import { afterEach, describe, expect, it } from "vitest";
import { type AuthError, StoreUnavailableError } from "../../../src/core/errors.ts";
import type { Settings } from "../../../src/core/settings/settings.ts";
import type { AuthUser } from "../../../src/core/user.ts";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import type { Issued } from "../../../src/flows/sessions/issue.ts";
import { authenticate } from "../../../src/flows/tokens/authenticate.ts";
import { createTestAuth, type TestAuth, withSessions } from "../../support/auth.ts";
import { eventsOf, expectRefused, logIn, rowOf } from "../flow.ts";

let auth: TestAuth;
let first: Issued;

async function start(settings: Partial<Settings<AuthUser>>): Promise<void> {
  auth = await createTestAuth({ settings });
  first = await logIn(auth);
  auth.events.length = 0;
}
afterEach(() => auth.close());

const refreshFirst = () => refresh(auth.deps, first.pair.refresh);

const causeOf = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => undefined,
    (error: AuthError) => error.cause,
  );

/** Expects a refresh to be refused as unavailable, with the session unchanged. */
async function expectUnavailable(reason: string): Promise<void> {
  const before = await rowOf(auth, first.session.id);
  await expectRefused(refreshFirst(), "unavailable", { reason });
  expect(await rowOf(auth, first.session.id)).toEqual(before);
}

describe("the claims hook", () => {
  it("calls the claims hook at every refresh and replay, so that claims are never stale", async () => {
    let role = "guest";
    await start({ claims: async (user) => ({ role, name: user.username }) });
    expect((await authenticate(auth.deps, first.pair.access)).payload).toMatchObject({ role: "guest", name: "alice" });
    role = "admin";
    const { pair } = await refreshFirst();
    expect((await authenticate(auth.deps, pair.access)).payload).toMatchObject({ role: "admin" });
    role = "nobody";
    const replay = await refreshFirst();
    expect(replay.outcome).toBe("replayed");
    expect((await authenticate(auth.deps, replay.pair.access)).payload).toMatchObject({ role: "nobody" });
  });

  it("puts the application's claims into access tokens, not into refresh tokens", async () => {
    await start({ claims: () => ({ role: "admin" }) });
    const [, payload = ""] = first.pair.refresh.split(".");
    expect(JSON.parse(Buffer.from(payload, "base64url").toString())).not.toHaveProperty("role");
  });

  it.each<[string, () => unknown]>([
    ["the user's claim", () => ({ user_id: "2" })],
    ["the session's claim", () => ({ sid: "another" })],
    ["the expiry", () => ({ exp: 9_999_999_999 })],
    ["an object that becomes another object as JSON", () => ({ toJSON: () => ({ user_id: "2" }) })],
    ["an object that becomes a string as JSON", () => ({ toJSON: () => "user_id" })],
    ["claims that make the token too long", () => ({ note: "a".repeat(8_192) })],
    ["a value that JSON can't hold", () => ({ id: 1n })],
    ["a list", () => ["admin"]],
    ["undefined", () => undefined],
    ["null", () => null],
  ])("makes the refresh unavailable, with the session unchanged, if the claims hook returns %s", async (_, claims) => {
    let hook: () => unknown = () => ({});
    await start({ claims: (() => hook()) as () => Record<string, unknown> });
    hook = claims;
    await expectUnavailable("claims failed");
    expect(await causeOf(refreshFirst())).toBeInstanceOf(Error);
    hook = () => ({});
    expect((await refreshFirst()).outcome).toBe("rotated");
  });

  it("makes the refresh unavailable if the claims hook rejects; its error is the cause and not in the message", async () => {
    let fail: (() => never) | null = null;
    await start({ claims: async () => fail?.() ?? {} });
    const planted = new Error("connect ECONNREFUSED postgres://app:hunter2@db");
    fail = () => {
      throw planted;
    };
    await expectUnavailable("claims failed");
    expect(await causeOf(refreshFirst())).toBe(planted);
    const refusal = await refreshFirst().catch((error: AuthError) => error.message);
    expect(refusal).not.toContain("hunter2");
    fail = null;
    expect((await refreshFirst()).outcome).toBe("rotated");
  });
});

describe("userAuthenticationRule at a refresh", () => {
  it("refuses a refresh that userAuthenticationRule does not allow, and revokes the session", async () => {
    let allowed = true;
    await start({ userAuthenticationRule: () => allowed });
    allowed = false;
    const refusal = { reason: "the user is gone or inactive", sessionEnded: true };
    await expectRefused(refreshFirst(), "token_user_inactive", refusal);
    expect(eventsOf(auth, "refresh")).toMatchObject([{ outcome: "refused", sessionId: first.session.id }]);
    allowed = true;
    await expectRefused(refreshFirst(), "token_user_inactive", { reason: /revoked/, sessionEnded: true });
  });

  it.each<[string, () => unknown, string]>([
    [
      "throws",
      () => {
        throw new Error("boom");
      },
      "userAuthenticationRule failed",
    ],
    [
      "is async, so that its promise would count as true",
      async () => false,
      "userAuthenticationRule is neither true nor false",
    ],
    ["returns undefined", () => undefined, "userAuthenticationRule is neither true nor false"],
    ["returns 1", () => 1, "userAuthenticationRule is neither true nor false"],
  ])(
    "makes the refresh unavailable, with the session unchanged, if userAuthenticationRule %s",
    async (_, rule, reason) => {
      let hook: () => unknown = () => true;
      await start({ userAuthenticationRule: () => hook() as boolean });
      hook = rule;
      await expectUnavailable(reason);
    },
  );
});

describe("findUser at a refresh", () => {
  const ada = { id: "u-1", username: "ada", isActive: true };

  /** Logs ada in. Afterwards `findUser` does what `table.find` does. */
  async function startWith(findUser: () => unknown): Promise<{ find: () => unknown }> {
    const table = { find: (): unknown => ada };
    await start({
      findUser: async () => table.find() as AuthUser,
      verifyCredentials: async () => ada,
    });
    table.find = findUser;
    return table;
  }

  it.each<[string, () => unknown]>([
    ["null", () => null],
    ["undefined", () => undefined],
    ["an inactive user", () => ({ ...ada, isActive: false })],
  ])("refuses the refresh and revokes the session if findUser returns %s", async (_, find) => {
    const table = await startWith(find);
    await expectRefused(refreshFirst(), "token_user_inactive", { sessionEnded: true });
    table.find = () => ada;
    await expectRefused(refreshFirst(), "token_user_inactive", { reason: /revoked/, sessionEnded: true });
  });

  it("makes the refresh unavailable, with the session unchanged, if findUser rejects", async () => {
    await startWith(() => Promise.reject(new Error("the users' database is away")));
    await expectUnavailable("findUser failed");
  });

  it("makes the refresh unavailable, with the session unchanged, if findUser returns a user without isActive", async () => {
    await startWith(() => ({ id: "u-1", username: "ada" }));
    await expectUnavailable("user.isActive is neither true nor false");
  });
});

describe("refresh with a store that can't answer", () => {
  it("emits nothing about a refresh that the store could not answer", async () => {
    auth = await createTestAuth({
      wrapStore: (store) =>
        withSessions(store, () => ({ rotate: () => Promise.reject(new StoreUnavailableError("locked")) })),
    });
    first = await logIn(auth);
    auth.events.length = 0;
    await expect(refreshFirst()).rejects.toBeInstanceOf(StoreUnavailableError);
    expect(auth.events).toEqual([]);
  });
});
