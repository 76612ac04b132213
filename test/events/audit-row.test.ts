import { describe, expect, it } from "vitest";
import { toAuditRow } from "../../src/events/audit-row.ts";

describe("a row of the audit log", () => {
  it("has a column for each field that can be searched, and the other fields as JSON", () => {
    const client = { ip: "192.0.2.7", userAgent: "Firefox", actor: "cli/root" };
    const event = { type: "refresh", time: 42, outcome: "refused", generation: 3, reason: "revoked", client } as const;
    expect(toAuditRow({ ...event, userId: "7", sessionId: "s1" })).toEqual({
      time: 42,
      type: "refresh",
      userId: "7",
      sessionId: "s1",
      ...client,
      note: null,
      reason: "revoked",
      details: '{"outcome":"refused","generation":3}',
    });
  });

  it("has null in the columns of fields that the event lacks", () => {
    expect(toAuditRow({ type: "key_changed", time: 42, change: "generated" })).toEqual({
      time: 42,
      type: "key_changed",
      userId: null,
      sessionId: null,
      ip: null,
      userAgent: null,
      actor: null,
      note: null,
      reason: null,
      details: '{"change":"generated"}',
    });
  });

  it("has U+FFFD in place of what no database stores as text, and keeps every whole character", () => {
    const client = { userAgent: "a\0b\uD800c\uDC00d\u{1F600}é" };
    const row = toAuditRow({ type: "login", time: 42, userId: "7\0", sessionId: "s1", client });
    expect([row.userId, row.userAgent]).toEqual(["7\uFFFD", "a\uFFFDb\uFFFDc\uFFFDd\u{1F600}é"]);
  });
});
