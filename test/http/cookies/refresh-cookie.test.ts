import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { minTokenLength, readSessionCookies } from "../../../src/http/cookies/refresh-cookie.ts";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";

let auth: TestAuth;
beforeEach(async () => {
  auth = await createTestAuth({ settings: { userIdClaim: "u", tokenTypeClaim: "t", jtiClaim: "j" } });
});
afterEach(() => auth.close());

describe("reading several refresh cookies", () => {
  it("verifies the access token only once, and only if no cookie has the CSRF token's session", async () => {
    const { access } = await auth.logIn();
    const refreshTokens = await Promise.all(Array.from({ length: 5 }, async () => (await auth.logIn()).refresh));
    const verifyAny = vi.fn(auth.deps.tokens.verifyAny);
    const deps = { ...auth.deps, tokens: { ...auth.deps.tokens, verifyAny } };
    const toCookie = (tokens: readonly string[]) =>
      [`__Host-Http-access=${access}`, ...tokens.map((token) => `__Secure-refresh=${token}`)].join("; ");
    expect(readSessionCookies(deps, { cookie: toCookie(refreshTokens) }).refresh).toBeUndefined();
    expect(verifyAny).toHaveBeenCalledTimes(1);
    expect(readSessionCookies(deps, { cookie: toCookie(["planted", "garbage"]) }).refresh).toBeUndefined();
    expect(verifyAny).toHaveBeenCalledTimes(1);
  });

  it("takes no token for too short, not even with the shortest user id and claim names", () => {
    const token = auth.deps.tokens.mintRefresh({
      userId: "7",
      sessionId: "0190f0a0-0000-7000-8000-000000000000",
      issuedAt: auth.clock.now(),
      expiresAt: auth.clock.now() + 60,
      userEpoch: 0,
      generation: 0,
      secret: new Uint8Array(32),
    });
    expect(token.length).toBeGreaterThan(minTokenLength + 50);
  });
});
