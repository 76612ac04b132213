import { hash, verify } from "@node-rs/argon2";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createPasswordHasher } from "../../../../src/crypto/passwords.ts";
import { disableUser } from "../../../../src/flows/users/users.ts";
import { alice, createTestAuth, type TestAuth } from "../../../support/auth.ts";
import { expectRefusal, plainChallenge } from "../../refusals.ts";

vi.mock(import("@node-rs/argon2"), { spy: true });

let t: TestAuth;
beforeEach(async () => {
  t = await createTestAuth();
});
afterEach(() => t.close());

const obtain = (body: unknown) => t.send("POST", "/api/token/", { body });

const noActiveAccount = {
  status: 401,
  body: { detail: "No active account found with the given credentials", code: "no_active_account" },
  challenge: plainChallenge,
};

it("answers the right password with a token pair and no cookie", async () => {
  const response = await obtain(alice);
  expect(response.status).toBe(200);
  const jwt = expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  expect(await response.json()).toEqual({ refresh: jwt, access: jwt });
  expect(response.headers.get("Set-Cookie")).toBeNull();
});

it("finds a user by name whatever its case and the white space around it", async () => {
  expect((await obtain({ ...alice, username: "  ALICE\t" })).status).toBe(200);
});

it("verifies a password exactly as it was received, with its white space", async () => {
  expect((await obtain({ ...alice, password: ` ${alice.password}` })).status).toBe(401);
});

it("stores the IP address and the User-Agent, cut to 512 characters, with the session", async () => {
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
])("answers 401 to %s", async (_, credentials) => {
  await expectRefusal(await obtain(credentials), noActiveAccount);
});

it("answers an inactive user as it answers a wrong password", async () => {
  await disableUser(t.deps, t.user.id);
  await expectRefusal(await obtain(alice), noActiveAccount);
});

it("hashes once, at the same cost, for a wrong password, an unknown user and an inactive user", async () => {
  /** Sends a login that is refused, and returns the cost of each argon2 call that it made. */
  async function costOf(credentials: object): Promise<readonly unknown[]> {
    vi.mocked(hash).mockClear();
    vi.mocked(verify).mockClear();
    await expectRefusal(await obtain(credentials), noActiveAccount);
    const verified = vi
      .mocked(verify)
      .mock.calls.map(([encoded]) => /\$(m=\d+,t=\d+,p=\d+)\$/.exec(String(encoded))?.[1]);
    const hashed = vi
      .mocked(hash)
      .mock.calls.map(([, cost]) => `m=${cost?.memoryCost},t=${cost?.timeCost},p=${cost?.parallelism}`);
    return [...verified, ...hashed];
  }

  const wrongPassword = await costOf({ ...alice, password: "wrong" });
  expect(wrongPassword).toEqual(["m=64,t=1,p=1"]);
  expect(await costOf({ ...alice, username: "nobody" })).toEqual(wrongPassword);
  await disableUser(t.deps, t.user.id);
  expect(await costOf(alice)).toEqual(wrongPassword);
});

it("answers 503 if the pepper of a stored password is missing, and passes the pepper's name to onError", async () => {
  const pepper = "2025:a-pepper-that-only-the-hash-knows";
  const encoded = await createPasswordHasher({ passwordMemoryCost: 64, passwordPeppers: [pepper] }).hash("p");
  await t.store.users.setPassword(t.user.id, encoded);
  const response = await obtain(alice);
  const body = { detail: "Service temporarily unavailable.", code: "unavailable" };
  await expectRefusal(response, { status: 503, body, challenge: null });
  expect(response.headers.get("Retry-After")).toBe("1");
  const cause = new Error("passwordPeppers: 2025 is missing, and stored hashes need it; put it back");
  expect(t.errors).toEqual([expect.objectContaining({ code: "unavailable", cause })]);
});
