import { describe, expect, it } from "vitest";
import { type Session, toSessionStatus } from "../../src/core/session.ts";

const session: Session = {
  id: "019b7a5e-0000-7000-8000-00000000000a",
  userId: "1",
  userEpoch: 0,
  leastEpoch: null,
  generation: 0,
  currentHash: new Uint8Array(32),
  previousHash: null,
  salt: null,
  idempotencyHash: null,
  rotatedAt: null,
  createdAt: 1_000,
  authenticatedAt: 1_000,
  amr: null,
  actor: null,
  lastUsedAt: 1_000,
  idleExpiresAt: 1_100,
  absoluteExpiresAt: 1_500,
  accessUntil: null,
  changeHash: null,
  revokedAt: null,
  revokeReason: null,
  persistent: true,
  userAgent: null,
  ip: null,
  label: null,
};

describe("toSessionStatus", () => {
  it("returns live until the second in which the session expires", () => {
    expect(toSessionStatus(session, 1_000)).toBe("live");
    expect(toSessionStatus(session, 1_099)).toBe("live");
    expect(toSessionStatus(session, 1_100)).toBe("expired");
  });

  it("returns expired at the absolute expiry although the idle expiry is later", () => {
    const beyond = { ...session, idleExpiresAt: 2_000 };
    expect(toSessionStatus(beyond, 1_499)).toBe("live");
    expect(toSessionStatus(beyond, 1_500)).toBe("expired");
  });

  it("returns revoked for a revoked session, also after it would have expired", () => {
    const revoked: Session = { ...session, revokedAt: 1_050, revokeReason: "logout" };
    expect(toSessionStatus(revoked, 1_060)).toBe("revoked");
    expect(toSessionStatus(revoked, 2_000)).toBe("revoked");
  });

  it("returns revoked although the clock was set back or the reason is missing", () => {
    expect(toSessionStatus({ ...session, revokedAt: 1_050 }, 1_000)).toBe("revoked");
  });
});
