import { describe, expect, it } from "vitest";
import { auditTypes, toKeeping } from "../../src/core/audit.ts";
import type { AuthEvent } from "../../src/core/events.ts";

describe("the types that can be looked up in the audit log", () => {
  it.each(auditTypes)("%s is kept in some case", (type) => {
    const event = { type, outcome: "theft", isGivenUp: true, sessionId: "s" } as unknown as AuthEvent;
    expect(toKeeping(event)).not.toBe("never");
  });

  it("leave out what only this node's log is told", () => {
    expect(auditTypes).not.toContain("feed_stale");
    expect(auditTypes).not.toContain("audit_dropped");
  });
});
