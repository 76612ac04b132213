import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Session } from "../../src/core/session.ts";
import type { SessionSnapshot } from "../../src/core/store/sessions.ts";
import { findSessionRefusal, findTokenRefusal } from "../../src/flows/session-refusal.ts";
import { createTestAuth, type TestAuth } from "../support/auth.ts";
import { logIn } from "./flow.ts";

let auth: TestAuth;
let locked: SessionSnapshot;

beforeEach(async () => {
  auth = await createTestAuth();
  const { session } = await logIn(auth);
  locked = (await auth.store.sessions.find(session.id)) as SessionSnapshot;
});
afterEach(() => auth.close());

const withRow = (changes: object): SessionSnapshot => ({
  ...locked,
  session: { ...locked.session, ...changes } as Session,
});

describe("a session", () => {
  it("is alive while row and user are", () => {
    expect(findSessionRefusal(locked)).toBeNull();
  });

  it("is dead where there is no row", () => {
    expect(findSessionRefusal(null)).toMatchObject({ code: "token_revoked", sessionEnded: true });
  });

  it("is dead where its user is gone, inactive, or of a newer epoch", () => {
    expect(findSessionRefusal({ ...locked, user: null })).toMatchObject({
      code: "token_user_inactive",
      sessionEnded: true,
    });
    const inactive = { isActive: false, epoch: 0 };
    expect(findSessionRefusal({ ...locked, user: inactive })).toMatchObject({ code: "token_user_inactive" });
    const raised = { isActive: true, epoch: 1 };
    expect(findSessionRefusal({ ...locked, user: raised })).toMatchObject({
      code: "token_revoked",
      sessionEnded: true,
    });
  });

  it("is dead once it was revoked, though the reason is missing or unknown to this version", () => {
    for (const revokeReason of [null, undefined, "quarantined"]) {
      const death = findSessionRefusal(withRow({ revokedAt: locked.now, revokeReason }));
      expect(death, String(revokeReason)).toMatchObject({ code: "token_revoked", sessionEnded: true });
    }
  });

  it("that was replaced is dead, but its browser has a newer one whose cookies must stay", () => {
    const replaced = withRow({ revokedAt: locked.now, revokeReason: "replaced" });
    expect(findSessionRefusal(replaced)).toMatchObject({ code: "token_revoked", sessionEnded: false });
  });

  it("that is dead in two ways tells the revocation, which came first", () => {
    const both = withRow({ revokedAt: locked.now, revokeReason: "password_changed", idleExpiresAt: 0 });
    expect(findSessionRefusal({ ...both, user: null })).toMatchObject({ code: "password_changed" });
  });
});

describe("a token of a live session", () => {
  it("is dead alone where the session went on under a newer epoch", () => {
    const later = { ...withRow({ userEpoch: 1 }), user: { isActive: true, epoch: 1 } };
    const claims = { userEpoch: 0 } as Parameters<typeof findTokenRefusal>[1];
    expect(findTokenRefusal(later, claims)).toMatchObject({ code: "password_changed", sessionEnded: false });
    expect(findTokenRefusal(later, { ...claims, userEpoch: 1 })).toBeNull();
    expect(findTokenRefusal(null, claims)).toMatchObject({ code: "token_revoked" });
  });
});
