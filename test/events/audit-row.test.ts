import { describe, expect, it } from "vitest";
import type { AuthErrorCode } from "../../src/core/errors.ts";
import { auditTypes, toKeeping } from "../../src/events/audit-policy.ts";
import type { AuthEvent } from "../../src/events/events.ts";

describe("the types that can be looked up in the audit log", () => {
  it.each(auditTypes)("%s is kept in some case", (type) => {
    const event = { type, outcome: "reuse_detected", isGivenUp: true, sessionId: "s" } as unknown as AuthEvent;
    expect(toAuditPolicy(event, { auditRotations: false })).not.toBe("never");
  });

  it("leave out what only this node's log is told", () => {
    expect(auditTypes).not.toContain("feed_stale");
    expect(auditTypes).not.toContain("audit_dropped");
  });
});

describe("a login that was refused", () => {
  const failed = (code: AuthErrorCode): AuthEvent => ({ type: "login_failed", time: 1, code, reason: "r", client: {} });

  it("is kept where the password was looked at, and not where too many were waiting", () => {
    expect(toKeeping(failed("no_active_account"))).toBe("batch");
    expect(toKeeping(failed("wrong_password"))).toBe("batch");
    expect(toKeeping(failed("unavailable"))).toBe("never");
  });
});
