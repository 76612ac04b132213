import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import type { Issued } from "../../../src/flows/sessions/issue.ts";
import { logout } from "../../../src/flows/sessions/logout.ts";
import { revokeToken } from "../../../src/flows/sessions/sessions.ts";
import { verify } from "../../../src/flows/tokens/verify.ts";
import { deleteUser, disableUser, setPassword } from "../../../src/flows/users/users.ts";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";
import { expectRefused, logIn } from "../flow.ts";

let auth: TestAuth;
let first: Issued;

beforeEach(async () => {
  auth = await createTestAuth();
  first = await logIn(auth);
});
afterEach(() => auth.close());

describe("verify", () => {
  it("returns the claims of a live access token", async () => {
    expect(await verify(auth.deps, first.pair.access)).toMatchObject({ type: "access", sessionId: first.session.id });
  });

  it("returns the claims of a live refresh token without its secret", async () => {
    const claims = await verify(auth.deps, first.pair.refresh);
    expect(claims).toMatchObject({ type: "refresh", sessionId: first.session.id, generation: 0 });
    expect(claims).not.toHaveProperty("secret");
  });

  it("does not spend the refresh token that it verifies", async () => {
    await verify(auth.deps, first.pair.refresh);
    expect((await refresh(auth.deps, first.pair.refresh)).outcome).toBe("rotated");
  });
});

describe("verify of a refresh token", () => {
  it("refuses a spent token, also within the reuse interval, and revokes nothing", async () => {
    const { pair } = await refresh(auth.deps, first.pair.refresh);
    await expectRefused(verify(auth.deps, first.pair.refresh), "token_revoked", { reason: "rotated away" });
    expect(await verify(auth.deps, pair.refresh as string)).toMatchObject({ generation: 1 });
    auth.clock.advance(60);
    await expectRefused(verify(auth.deps, first.pair.refresh), "token_revoked", { reason: "rotated away" });
    expect(await verify(auth.deps, pair.refresh as string)).toMatchObject({ generation: 1 });
  });

  it("refuses a genuine token with another secret than the row's", async () => {
    const claims = auth.deps.tokens.verifyRefresh(first.pair.refresh);
    const unknown = auth.deps.tokens.mintRefresh({ ...claims, secret: new Uint8Array(32) });
    await expectRefused(verify(auth.deps, unknown), "token_revoked");
  });

  it.each([
    ["was given a new password", setPassword, "password_changed"],
    ["was disabled", disableUser, "token_user_inactive"],
    ["was deleted", deleteUser, "token_user_inactive"],
  ] as const)("refuses the token of a user who %s", async (_, change, code) => {
    await change(auth.deps, auth.user.id, "another horse");
    await expectRefused(verify(auth.deps, first.pair.refresh), code, { sessionEnded: true });
  });

  it("refuses the token of a session that was logged out, and so does verify of its access token", async () => {
    await logout(auth.deps, { sessionId: first.session.id, userId: auth.user.id });
    await expectRefused(verify(auth.deps, first.pair.refresh), "token_revoked", { sessionEnded: true });
    await expectRefused(verify(auth.deps, first.pair.access), "token_revoked");
  });

  it("refuses an expired token", async () => {
    auth.clock.advance(2_592_000);
    await expectRefused(verify(auth.deps, first.pair.refresh), "token_expired");
  });
});

describe("verify of an access token", () => {
  it("refuses a token that was revoked, and still accepts the session's refresh token", async () => {
    const { tokenId } = await verify(auth.deps, first.pair.access);
    await revokeToken(auth.deps, tokenId);
    await expectRefused(verify(auth.deps, first.pair.access), "token_revoked");
    expect(await verify(auth.deps, first.pair.refresh)).toMatchObject({ type: "refresh" });
  });
});
