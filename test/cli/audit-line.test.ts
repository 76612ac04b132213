import { describe, expect, it } from "vitest";
import { toAuditLine } from "../../src/cli/audit-line.ts";
import { parseSince } from "../../src/cli/since.ts";
import type { AuditEntry } from "../../src/core/store/audit.ts";

const entry: AuditEntry = {
  id: 7,
  time: 1_767_225_600,
  type: "login_failed",
  userId: null,
  sessionId: null,
  ip: "192.0.2.7",
  userAgent: null,
  actor: null,
  note: null,
  reason: "unknown user or wrong password",
  details: { code: "no_active_account" },
};

describe("toAuditLine", () => {
  it("lists the known fields and quotes values with spaces", () => {
    expect(toAuditLine(entry, undefined)).toBe(
      '2026-01-01T00:00:00Z  login_failed         code=no_active_account  reason="unknown user or wrong password"  ip=192.0.2.7',
    );
  });

  it("escapes values that would forge a field, a line, or a command to the terminal", () => {
    const userAgent = 'x" by=root\n2026-01-01T00:00:00Z  login\u001b[2J\u009b31m';
    const line = toAuditLine({ ...entry, userAgent, details: {} }, "eve=1");
    expect(line).toContain('agent="x\\" by=root?2026-01-01T00:00:00Z  login?[2J?31m"');
    expect(line).toContain('name="eve=1"');
    expect(line).not.toMatch(/\p{Cc}/u);
  });
});

describe("parseSince", () => {
  it.each([
    ["90s", 910],
    ["1m", 940],
    ["0h", 1_000],
    ["2026-01-01", 1_767_225_600],
    ["2026-01-01T01:00:00+01:00", 1_767_225_600],
    ["2026-01-01T00:00Z", 1_767_225_600],
  ])("parses %s", (text, time) => {
    expect(parseSince(text, 1_000)).toBe(time);
  });

  it.each(["", "1", "h", "1y", "-1h", "1.5h", "2026-13-01", "2026-01-01T00:00", "tomorrow", "9999999999d"])(
    "refuses %j",
    (text) => {
      expect(() => parseSince(text, 1_000)).toThrow("Use a time such as");
    },
  );
});
