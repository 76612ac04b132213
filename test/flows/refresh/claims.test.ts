import { afterEach, describe, expect, it } from "vitest";
import { type AuthError, StoreUnavailableError } from "../../../src/core/errors.ts";
import type { Settings } from "../../../src/core/settings/settings.ts";
import type { AuthUser } from "../../../src/core/user.ts";
import { authenticate } from "../../../src/flows/authenticate.ts";
import type { Issued } from "../../../src/flows/issue.ts";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
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

/** Expects a 503 that has changed nothing. */
async function expectUnavailable(reason: string): Promise<void> {
  const before = await rowOf(auth, first.session.id);
  await expectRefused(refreshFirst(), "unavailable", { reason });
  expect(await rowOf(auth, first.session.id)).toEqual(before);
}

describe("the application's claims", () => {
  it("are asked for again at every refresh, and never stale", async () => {
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

  it("go into access tokens only", async () => {
    await start({ claims: () => ({ role: "admin" }) });
    const [, payload = ""] = first.pair.refresh.split(".");
    expect(JSON.parse(Buffer.from(payload, "base64url").toString())).not.toHaveProperty("role");
  });

  it.each<[string, () => unknown]>([
    ["take the name of one of ours", () => ({ user_id: "2" })],
    ["take the name of our session", () => ({ sid: "another" })],
    ["take our expiry", () => ({ exp: 9_999_999_999 })],
    ["write themselves as another object", () => ({ toJSON: () => ({ user_id: "2" }) })],
    ["write themselves as a text", () => ({ toJSON: () => "user_id" })],
    ["make the token too long", () => ({ note: "a".repeat(8_192) })],
    ["are no JSON", () => ({ id: 1n })],
    ["are a list", () => ["admin"]],
    ["are nothing", () => undefined],
    ["are null", () => null],
  ])("are refused where they %s, before anything has moved", async (_, claims) => {
    let answer: () => unknown = () => ({});
    await start({ claims: (() => answer()) as () => Record<string, unknown> });
    answer = claims;
    await expectUnavailable("claims failed");
    expect(await causeOf(refreshFirst())).toBeInstanceOf(Error);
    answer = () => ({});
    expect((await refreshFirst()).outcome).toBe("rotated");
  });

  it("change nothing where they cannot be had: a hook that throws or rejects", async () => {
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

describe("the application's rule", () => {
  it("is asked at every refresh; while it says no, the session waits", async () => {
    let allowed = true;
    await start({ userAuthenticationRule: () => allowed });
    allowed = false;
    await expectRefused(refreshFirst(), "token_user_inactive", { reason: "the user is gone or inactive" });
    expect(eventsOf(auth, "refresh")).toMatchObject([{ outcome: "refused", sessionId: first.session.id }]);
    allowed = true;
    expect((await refreshFirst()).outcome).toBe("rotated");
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
      "is an async function, whose promise would pass for true",
      async () => false,
      "userAuthenticationRule is neither true nor false",
    ],
    ["answers nothing", () => undefined, "userAuthenticationRule is neither true nor false"],
    ["answers 1", () => 1, "userAuthenticationRule is neither true nor false"],
  ])("lets nobody in where it %s, and nothing changes", async (_, rule, reason) => {
    let answer: () => unknown = () => true;
    await start({ userAuthenticationRule: () => answer() as boolean });
    answer = rule;
    await expectUnavailable(reason);
  });
});

describe("the application's users", () => {
  const ada = { id: "u-1", username: "ada", isActive: true };

  async function startWith(findUser: () => unknown): Promise<{ answer: () => unknown }> {
    const users = { answer: (): unknown => ada };
    await start({
      findUser: async () => users.answer() as AuthUser,
      verifyCredentials: async () => ada,
    });
    users.answer = findUser;
    return users;
  }

  it.each<[string, () => unknown]>([
    ["gone", () => null],
    ["gone, as a Map says it", () => undefined],
    ["inactive", () => ({ ...ada, isActive: false })],
  ])("are refused a refresh where they are %s; the session waits in its row", async (_, answer) => {
    const users = await startWith(answer);
    await expectRefused(refreshFirst(), "token_user_inactive");
    users.answer = () => ada;
    expect((await refreshFirst()).outcome).toBe("rotated");
  });

  it("change nothing where they cannot be looked up", async () => {
    await startWith(() => Promise.reject(new Error("the users' database is away")));
    await expectUnavailable("findUser failed");
  });

  it("change nothing where it does not say whether they are active", async () => {
    await startWith(() => ({ id: "u-1", username: "ada" }));
    await expectUnavailable("user.isActive is neither true nor false");
  });
});

describe("a store that cannot answer", () => {
  it("is the caller's to hear of, and nothing is reported that did not happen", async () => {
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
