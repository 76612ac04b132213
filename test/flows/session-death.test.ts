import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Session } from "../../src/core/session.ts";
import type { LockedSession } from "../../src/core/store.ts";
import { toDeathOf, toDeathOfToken } from "../../src/flows/session-death.ts";
import { createTestAuth, type TestAuth } from "../support/auth.ts";
import { logIn } from "./flow.ts";

let auth: TestAuth;
let locked: LockedSession;

beforeEach(async () => {
  auth = await createTestAuth();
  const { session } = await logIn(auth);
  locked = (await auth.store.sessions.find(session.id)) as LockedSession;
});
afterEach(() => auth.close());

const withRow = (changes: object): LockedSession => ({
  ...locked,
  session: { ...locked.session, ...changes } as Session,
});

describe("a session", () => {
  it("is alive while row and user are", () => {
    expect(toDeathOf(locked)).toBeNull();
  });

  it("is dead where there is no row", () => {
    expect(toDeathOf(null)).toMatchObject({ code: "token_revoked", sessionIsDead: true });
  });

  it("is dead where its user is gone, inactive, or of a newer epoch", () => {
    expect(toDeathOf({ ...locked, user: null })).toMatchObject({ code: "token_user_inactive", sessionIsDead: true });
    const inactive = { isActive: false, epoch: 0 };
    expect(toDeathOf({ ...locked, user: inactive })).toMatchObject({ code: "token_user_inactive" });
    const raised = { isActive: true, epoch: 1 };
    expect(toDeathOf({ ...locked, user: raised })).toMatchObject({ code: "token_revoked", sessionIsDead: true });
  });

  it("is dead once it was revoked, though the reason is missing or unknown to this version", () => {
    for (const revokeReason of [null, undefined, "quarantined"]) {
      const death = toDeathOf(withRow({ revokedAt: locked.now, revokeReason }));
      expect(death, String(revokeReason)).toMatchObject({ code: "token_revoked", sessionIsDead: true });
    }
  });

  it("that was replaced is dead, but its browser has a newer one whose cookies must stay", () => {
    const replaced = withRow({ revokedAt: locked.now, revokeReason: "replaced" });
    expect(toDeathOf(replaced)).toMatchObject({ code: "token_revoked", sessionIsDead: false });
  });

  it("that is dead in two ways tells the revocation, which came first", () => {
    const both = withRow({ revokedAt: locked.now, revokeReason: "password_changed", idleExpiresAt: 0 });
    expect(toDeathOf({ ...both, user: null })).toMatchObject({ code: "password_changed" });
  });
});

describe("a token of a live session", () => {
  it("is dead alone where the session went on under a newer epoch", () => {
    const later = { ...withRow({ userEpoch: 1 }), user: { isActive: true, epoch: 1 } };
    const claims = { userEpoch: 0 } as Parameters<typeof toDeathOfToken>[1];
    expect(toDeathOfToken(later, claims)).toMatchObject({ code: "password_changed", sessionIsDead: false });
    expect(toDeathOfToken(later, { ...claims, userEpoch: 1 })).toBeNull();
    expect(toDeathOfToken(null, claims)).toMatchObject({ code: "token_revoked" });
  });
});
