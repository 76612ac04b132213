import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Session } from "../../../src/core/session.ts";
import type { SessionSnapshot } from "../../../src/core/store/sessions.ts";
import {
  findClaimMismatch,
  findSessionRefusal,
  findTokenRefusal,
} from "../../../src/flows/sessions/session-refusal.ts";
import { createTestAuth, type TestAuth } from "../../support/auth.ts";
import { logIn } from "../flow.ts";

let auth: TestAuth;
let snapshot: SessionSnapshot;

beforeEach(async () => {
  auth = await createTestAuth();
  const { session } = await logIn(auth);
  snapshot = (await auth.store.sessions.find(session.id)) as SessionSnapshot;
});
afterEach(() => auth.close());

const withRow = (changes: object): SessionSnapshot => ({
  ...snapshot,
  session: { ...snapshot.session, ...changes } as Session,
});

describe("findSessionRefusal", () => {
  it("returns null for a live session of an active user", () => {
    expect(findSessionRefusal(snapshot)).toBeNull();
  });

  it("returns token_revoked if there is no such session", () => {
    expect(findSessionRefusal(null)).toMatchObject({ code: "token_revoked", sessionEnded: true });
  });

  it("returns a refusal if the user is gone, is inactive or has a higher epoch", () => {
    expect(findSessionRefusal({ ...snapshot, user: null })).toMatchObject({
      code: "token_user_inactive",
      sessionEnded: true,
    });
    const inactive = { isActive: false, epoch: 0, epochReason: null };
    expect(findSessionRefusal({ ...snapshot, user: inactive })).toMatchObject({ code: "token_user_inactive" });
    const raised = { isActive: true, epoch: 1, epochReason: null };
    expect(findSessionRefusal({ ...snapshot, user: raised })).toMatchObject({
      code: "token_revoked",
      sessionEnded: true,
    });
  });

  it("returns token_revoked for a revoked session whose reason is missing or unknown to this version", () => {
    for (const revokeReason of [null, undefined, "quarantined"]) {
      const refusal = findSessionRefusal(withRow({ revokedAt: snapshot.now, revokeReason }));
      expect(refusal, String(revokeReason)).toMatchObject({ code: "token_revoked", sessionEnded: true });
    }
  });

  it("does not allow a replaced session's cookies to be deleted, because the browser has newer ones", () => {
    const replaced = withRow({ revokedAt: snapshot.now, revokeReason: "replaced" });
    expect(findSessionRefusal(replaced)).toMatchObject({ code: "token_revoked", sessionEnded: false });
  });

  it("returns the reason of the revocation for a session that has also expired and whose user is gone", () => {
    const both = withRow({ revokedAt: snapshot.now, revokeReason: "password_changed", idleExpiresAt: 0 });
    expect(findSessionRefusal({ ...both, user: null })).toMatchObject({ code: "password_changed" });
  });
});

describe("findClaimMismatch", () => {
  it("returns null for the session's own user and an epoch up to the session's, and if there is no session", () => {
    const later = withRow({ userEpoch: 3 });
    const { userId } = snapshot.session;
    for (const userEpoch of [0, 3]) expect(findClaimMismatch(later, { userId, userEpoch })).toBeNull();
    expect(findClaimMismatch(null, { userId, userEpoch: 9 })).toBeNull();
  });

  it("returns token_invalid for another user or a later epoch, even of a revoked session, and proves nothing", () => {
    const { userId } = snapshot.session;
    for (const row of [snapshot, withRow({ revokedAt: snapshot.now, revokeReason: "logout" })]) {
      for (const claims of [
        { userId: "2", userEpoch: 0 },
        { userId, userEpoch: 1 },
      ]) {
        const invalid = { code: "token_invalid", sessionEnded: false };
        expect(findClaimMismatch(row, claims)).toMatchObject(invalid);
        expect(findTokenRefusal(row, claims)).toMatchObject(invalid);
      }
    }
  });
});

describe("findTokenRefusal", () => {
  it("returns password_changed for a token that is older than the epoch of its live session", () => {
    const later = {
      ...withRow({ userEpoch: 1 }),
      user: { isActive: true, epoch: 1, epochReason: "password_changed" } as const,
    };
    const claims = { userId: snapshot.session.userId, userEpoch: 0 };
    expect(findTokenRefusal(later, claims)).toMatchObject({ code: "password_changed", sessionEnded: false });
    expect(findTokenRefusal(later, { ...claims, userEpoch: 1 })).toBeNull();
    expect(findTokenRefusal(null, claims)).toMatchObject({ code: "token_revoked" });
  });
});
