import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { importRevokedTokens } from "../../../src/flows/legacy/revoke.ts";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import { logoutByRefreshToken } from "../../../src/flows/sessions/logout.ts";
import { revokePresented } from "../../../src/flows/tokens/revoke-presented.ts";
import { type TestAuth, testStart } from "../../support/auth.ts";
import { createMovingAuth, legacyPayload, legacyToken, signLegacy } from "../../support/simplejwt.ts";
import { expectRefused } from "../flow.ts";

const client = { ip: "192.0.2.7", userAgent: "Firefox" };

let auth: TestAuth;
let token: string;

beforeEach(async () => {
  auth = await createMovingAuth();
  token = legacyToken();
  auth.events.length = 0;
});
afterEach(() => auth.close());

const sessions = async () => (await auth.store.sessions.list({ limit: 100 })).sessions;

describe("a logout by a refresh token of simplejwt", () => {
  it("revokes the token, so that it can't be redeemed any more", async () => {
    const payload = legacyPayload();
    await logoutByRefreshToken(auth.deps, signLegacy(payload), { client });
    expect(auth.events).toEqual([{ type: "token_revoked", time: testStart, tokenId: payload["jti"], client }]);
    const { entries } = await auth.store.audit.read({ after: null, limit: 9, type: "token_revoked" });
    expect(entries).toHaveLength(1);
    await expectRefused(refresh(auth.deps, signLegacy(payload)), "token_revoked", { sessionEnded: true });
    expect(await sessions()).toEqual([]);
  });

  it("revokes the session for which the token was redeemed", async () => {
    const { session, pair } = await refresh(auth.deps, token);
    auth.events.length = 0;
    await logoutByRefreshToken(auth.deps, token, { client });
    const subject = { time: testStart, userId: auth.user.id, sessionId: session.id, client };
    expect(auth.events).toEqual([{ type: "sessions_revoked", ...subject, sessions: 1, reason: "logout" }]);
    await expectRefused(refresh(auth.deps, pair.refresh as string), "token_revoked", { sessionEnded: true });
  });

  it("is refused the second time", async () => {
    await logoutByRefreshToken(auth.deps, token);
    await expectRefused(logoutByRefreshToken(auth.deps, token), "token_revoked", { sessionEnded: true });
  });

  it("is refused with another scope than the session's own, and with an expired token", async () => {
    for (const scope of ["others", "all"] as const) {
      await expectRefused(logoutByRefreshToken(auth.deps, token, { scope }), "token_invalid");
    }
    await expectRefused(logoutByRefreshToken(auth.deps, legacyToken({ exp: testStart })), "token_expired");
    expect(await auth.store.legacy.count()).toEqual({ redeemed: 0, revoked: 0 });
  });

  it("and a redemption at the same time leave no live session", async () => {
    await Promise.allSettled([
      refresh(auth.deps, token),
      logoutByRefreshToken(auth.deps, token),
      refresh(auth.deps, token),
    ]);
    expect(await sessions()).toEqual([]);
  });
});

describe("a revocation by a service", () => {
  it("revokes a refresh token of simplejwt, and the session for which it was redeemed", async () => {
    await revokePresented(auth.deps, token, { client });
    await expectRefused(refresh(auth.deps, token), "token_revoked", { sessionEnded: true });
    const other = legacyToken();
    await refresh(auth.deps, other);
    await revokePresented(auth.deps, other, { client });
    expect(await sessions()).toEqual([]);
    // RFC 7009 §2.2: invalid tokens are no error.
    await revokePresented(auth.deps, legacyToken({ token_type: "access" }), { client });
    await revokePresented(auth.deps, token, { client });
  });
});

describe("the import of revoked tokens", () => {
  it("stores tokens once, and revokes the sessions of those that were redeemed before", async () => {
    const payload = legacyPayload();
    const { session } = await refresh(auth.deps, signLegacy(payload));
    auth.events.length = 0;
    const tokens = [String(payload["jti"]), "a", "b"].map((tokenId) => ({ tokenId, expiresAt: testStart + 100 }));
    expect(await importRevokedTokens(auth.deps, tokens, client)).toEqual({ stored: 2, revokedSessions: 1 });
    const subject = { time: testStart, sessionId: session.id, client };
    expect(auth.events).toEqual([{ type: "sessions_revoked", ...subject, sessions: 1, reason: "revoked" }]);
    expect(await importRevokedTokens(auth.deps, tokens, client)).toEqual({ stored: 0, revokedSessions: 0 });
    await expectRefused(refresh(auth.deps, legacyToken({ jti: "a" })), "token_revoked", { sessionEnded: true });
    expect(await sessions()).toEqual([]);
  });
});
