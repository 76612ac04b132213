import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { signCompact } from "../../../src/crypto/jws.ts";
import { createPasswordHasher } from "../../../src/crypto/passwords.ts";
import { createHmacKey } from "../../../src/crypto/signing-key.ts";
import { deleteUser, disableUser, setPassword } from "../../../src/flows/users.ts";
import { alice, createTestAuth, type TestAuth, testStart } from "../../support/auth.ts";

const plainChallenge = 'Bearer realm="api"';
const tokenChallenge = 'Bearer realm="api", error="invalid_token"';

let t: TestAuth;
beforeEach(async () => {
  t = await createTestAuth();
});
afterEach(() => t.close());

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  t.send("POST", path, { body, headers });

async function expectRefusal(response: Response, status: number, body: unknown, challenge: string | null) {
  expect(await response.json()).toEqual(body);
  expect(response.status).toBe(status);
  expect(response.headers.get("WWW-Authenticate")).toBe(challenge);
}

describe("POST /api/token/", () => {
  it("gives a pair for the right password", async () => {
    const response = await post("/api/token/", alice);
    expect(response.status).toBe(200);
    const jwt = expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(await response.json()).toEqual({ refresh: jwt, access: jwt });
    expect(response.headers.get("Set-Cookie")).toBeNull();
  });

  it("finds the user without regard to case and to white space around the name", async () => {
    expect((await post("/api/token/", { ...alice, username: "  ALICE\t" })).status).toBe(200);
  });

  it("takes the password exactly as received", async () => {
    expect((await post("/api/token/", { ...alice, password: ` ${alice.password}` })).status).toBe(401);
  });

  it("records where the login came from", async () => {
    const request = new Request("https://auth.example/api/token/", {
      method: "POST",
      headers: { "Content-Type": "application/json", "User-Agent": "u".repeat(2_000) },
      body: JSON.stringify(alice),
    });
    await t.handler.fetch(request, { ip: "203.0.113.7" });
    const { sessions } = await t.store.sessions.list({ limit: 1 });
    expect(sessions[0]).toMatchObject({ ip: "203.0.113.7", userAgent: "u".repeat(512) });
  });

  it.each([
    ["a wrong password", { ...alice, password: "wrong" }],
    ["an unknown user", { ...alice, username: "nobody" }],
  ])("refuses %s", async (_, credentials) => {
    await expectRefusal(
      await post("/api/token/", credentials),
      401,
      { detail: "No active account found with the given credentials", code: "no_active_account" },
      plainChallenge,
    );
  });

  it("cannot say anything of a password whose pepper is missing, and tells the operator which", async () => {
    const pepper = "2025:a-pepper-that-only-the-hash-knows";
    const encoded = await createPasswordHasher({ passwordMemoryCost: 64, passwordPeppers: [pepper] }).hash("p");
    await t.store.users.setPassword(t.user.id, encoded);
    const response = await post("/api/token/", alice);
    const body = { detail: "Service temporarily unavailable.", code: "unavailable" };
    await expectRefusal(response, 503, body, null);
    expect(response.headers.get("Retry-After")).toBe("1");
    const cause = new Error("passwordPeppers: 2025 is missing, and stored hashes need it; put it back");
    expect(t.errors).toEqual([expect.objectContaining({ code: "unavailable", cause })]);
  });

  it("refuses an inactive user like a wrong password", async () => {
    await disableUser(t.deps, t.user.id);
    await expectRefusal(
      await post("/api/token/", alice),
      401,
      { detail: "No active account found with the given credentials", code: "no_active_account" },
      plainChallenge,
    );
  });
});

describe("POST /api/token/refresh/", () => {
  it("gives the next pair", async () => {
    const { refresh, access } = await t.logIn();
    t.clock.advance(1);
    const response = await post("/api/token/refresh/", { refresh });
    expect(response.status).toBe(200);
    expect(response.headers.get("Token-Replayed")).toBeNull();
    const pair = (await response.json()) as typeof t.logIn extends () => Promise<infer P> ? P : never;
    expect(Object.keys(pair)).toEqual(["access", "refresh"]);
    expect(pair.access).not.toBe(access);
    expect(pair.refresh).not.toBe(refresh);
  });

  it("answers a replay with the same successor and says so", async () => {
    const { refresh } = await t.logIn();
    const first = (await (await post("/api/token/refresh/", { refresh })).json()) as { refresh: string };
    const again = await post("/api/token/refresh/", { refresh });
    expect(again.headers.get("Token-Replayed")).toBe("true");
    expect(await again.json()).toMatchObject({ refresh: first.refresh });
  });

  it("answers a known attempt however late", async () => {
    const { refresh } = await t.logIn();
    const attempt = { "Idempotency-Key": "0123456789abcdef-_ABCD" };
    await post("/api/token/refresh/", { refresh }, attempt);
    t.clock.advance(3_600);
    const again = await post("/api/token/refresh/", { refresh }, attempt);
    expect([again.status, again.headers.get("Token-Replayed")]).toEqual([200, "true"]);
  });

  it("gives no new refresh token where rotation is off", async () => {
    const still = await createTestAuth({ settings: { rotateRefreshTokens: false } });
    const { refresh } = await still.logIn();
    const response = await still.send("POST", "/api/token/refresh/", { body: { refresh } });
    expect(Object.keys((await response.json()) as object)).toEqual(["access"]);
    await still.close();
  });

  it.each(["", "short", "a".repeat(21), "a".repeat(129), `${"a".repeat(30)}!`, "a".repeat(22).concat(", b")])(
    "refuses the attempt id %j",
    async (idempotencyKey) => {
      const { refresh } = await t.logIn();
      await expectRefusal(
        await post("/api/token/refresh/", { refresh }, { "Idempotency-Key": idempotencyKey }),
        400,
        { detail: "Idempotency-Key is not valid.", code: "bad_idempotency_key" },
        null,
      );
    },
  );

  it("refuses a spent token that returns late, and ends its session", async () => {
    const { refresh } = await t.logIn();
    const next = (await (await post("/api/token/refresh/", { refresh })).json()) as { refresh: string };
    t.clock.advance(60);
    const blacklisted = { detail: "Token is blacklisted", code: "token_not_valid" };
    await expectRefusal(await post("/api/token/refresh/", { refresh }), 401, blacklisted, tokenChallenge);
    await expectRefusal(await post("/api/token/refresh/", { refresh: next.refresh }), 401, blacklisted, tokenChallenge);
  });

  it.each([
    ["deleted", deleteUser, { detail: "No active account found for the given token.", code: "no_active_account" }],
    ["disabled", disableUser, { detail: "No active account found for the given token.", code: "no_active_account" }],
    [
      "given a new password",
      (deps: TestAuth["deps"], id: string) => setPassword(deps, id, "another password"),
      { detail: "The user's password has been changed.", code: "password_changed" },
    ],
  ] as const)("refuses a user who was %s since", async (_, change, body) => {
    const { refresh } = await t.logIn();
    await change(t.deps, t.user.id);
    await expectRefusal(await post("/api/token/refresh/", { refresh }), 401, body, tokenChallenge);
  });
});

describe("POST /api/token/verify/", () => {
  it("accepts a live token of either kind", async () => {
    for (const token of Object.values(await t.logIn())) {
      const response = await post("/api/token/verify/", { token });
      expect([response.status, await response.json()]).toEqual([200, {}]);
    }
  });

  it("calls a rotated refresh token blacklisted, also inside the reuse interval", async () => {
    const { refresh } = await t.logIn();
    await post("/api/token/refresh/", { refresh });
    const body = { detail: "Token is blacklisted", code: "token_not_valid" };
    await expectRefusal(await post("/api/token/verify/", { token: refresh }), 401, body, tokenChallenge);
  });
});

describe("POST /api/token/blacklist/", () => {
  it("ends the session and its access tokens", async () => {
    const { refresh, access } = await t.logIn();
    const response = await post("/api/token/blacklist/", { refresh });
    expect([response.status, await response.json()]).toEqual([200, {}]);
    const body = { detail: "Token is blacklisted", code: "token_not_valid" };
    await expectRefusal(await post("/api/token/verify/", { token: access }), 401, body, tokenChallenge);
    await expectRefusal(await post("/api/token/refresh/", { refresh }), 401, body, tokenChallenge);
    await expectRefusal(await post("/api/token/blacklist/", { refresh }), 401, body, tokenChallenge);
  });

  it("takes a spent token of a live session", async () => {
    const { refresh } = await t.logIn();
    await post("/api/token/refresh/", { refresh });
    expect((await post("/api/token/blacklist/", { refresh })).status).toBe(200);
  });
});

describe("a token that is not valid", () => {
  const claims = { exp: testStart + 60, iat: testStart, jti: "a", user_id: "1", sid: "s", ue: 0 };
  const access = { ...claims, token_type: "access" };
  const refresh = { ...claims, token_type: "refresh" };
  const without = (payload: object, name: string) => ({ ...payload, [name]: undefined });
  const otherKey = createHmacKey({ algorithm: "HS256", secret: "another signing key of at least 32 bytes" });

  const endpoints = [
    ["refresh", "refresh", refresh],
    ["verify", "token", access],
    ["blacklist", "refresh", refresh],
  ] as const;

  for (const [endpoint, field, payload] of endpoints) {
    const cases: readonly (readonly [string, () => string, string])[] = [
      ["garbage", () => "garbage", "Token is invalid"],
      ["forged", () => signCompact(payload, otherKey), "Token is invalid"],
      ["not valid yet", () => signCompact({ ...payload, iat: testStart + 60 }, t.keys.current), "Token is invalid"],
      ["of a wrong shape", () => signCompact({ ...payload, sid: 1 }, t.keys.current), "Token is invalid"],
      ["without a user", () => signCompact(without(payload, "user_id"), t.keys.current), "Token is invalid"],
      ["expired", () => signCompact({ ...payload, exp: testStart - 1 }, t.keys.current), "Token is expired"],
      ["of another type", () => signCompact({ ...payload, token_type: "x" }, t.keys.current), "Token has wrong type"],
      ["without exp", () => signCompact(without(payload, "exp"), t.keys.current), "Token has no 'exp' claim"],
      ["without type", () => signCompact(without(payload, "token_type"), t.keys.current), "Token has no type"],
      ["without id", () => signCompact(without(payload, "jti"), t.keys.current), "Token has no id"],
    ];
    it.each(cases)(`is refused by ${endpoint} when it is %s`, async (_, toToken, detail) => {
      await expectRefusal(
        await post(`/api/token/${endpoint}/`, { [field]: toToken() }),
        401,
        { detail, code: "token_not_valid" },
        tokenChallenge,
      );
    });
  }

  it.each(["refresh", "blacklist"])("is refused by %s when it is an access token", async (endpoint) => {
    const { access: token } = await t.logIn();
    const body = { detail: "Token has wrong type", code: "token_not_valid" };
    await expectRefusal(await post(`/api/token/${endpoint}/`, { refresh: token }), 401, body, tokenChallenge);
  });
});
