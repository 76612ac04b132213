import { describe, expect, it } from "vitest";
import { defaultSettings, type Settings } from "../../src/core/settings/settings.ts";
import { toAuditRow } from "../../src/events/audit-row.ts";
import type { AuthEvent } from "../../src/events/events.ts";
import { createRecorder } from "../../src/events/recorder.ts";

const client = { ip: "192.0.2.7", userAgent: "Firefox", actor: "staff/7" };
const session = { time: 1_800_000_000, userId: "7", sessionId: "s1", client };
const login: AuthEvent = { type: "login", ...session };
const newDevice: AuthEvent = { type: "new_device", ...session };
const rotated: AuthEvent = { type: "refresh", outcome: "rotated", generation: 0, ...session };
const refused: AuthEvent = { type: "refresh", outcome: "refused", reason: "expired", ...session };
const webhookUrl = "https://hooks.example/auth";

const random = (size: number) => new Uint8Array(size).fill(255);
const id = "msg______________________w";

function record(settings: Partial<Settings>, ...events: AuthEvent[]) {
  return createRecorder({ ...defaultSettings, ...settings }, random)(events);
}

describe("the recorder", () => {
  it("records events with the policy transaction, in order, and no others", () => {
    expect(record({}, login, refused, newDevice)).toEqual([
      { row: toAuditRow(login), delivery: null },
      { row: null, delivery: null },
      { row: toAuditRow(newDevice), delivery: null },
    ]);
  });

  it("records rotations only if auditRotations is set", () => {
    expect(record({}, rotated)).toEqual([{ row: null, delivery: null }]);
    expect(record({ auditRotations: true }, rotated)).toEqual([{ row: toAuditRow(rotated), delivery: null }]);
  });

  it("adds a message for events that the webhook sends, if there is a webhook", () => {
    expect(record({ webhookUrl }, login, newDevice)).toEqual([
      { row: toAuditRow(login), delivery: null },
      {
        row: toAuditRow(newDevice),
        delivery: {
          id,
          at: 1_800_000_000,
          body: JSON.stringify({
            type: "new_device",
            timestamp: "2027-01-15T08:00:00.000Z",
            data: { user_id: "7", session_id: "s1", ip: "192.0.2.7", user_agent: "Firefox", actor: "staff/7" },
          }),
        },
      },
    ]);
  });

  it("leaves out of a message what is not known", () => {
    const changed: AuthEvent = { type: "user_changed", change: "password_changed", time: 0, userId: "7", client: {} };
    const [{ delivery } = { delivery: null }] = record({ webhookUrl }, changed);
    expect(JSON.parse(delivery?.body ?? "")).toEqual({
      type: "password_changed",
      timestamp: "1970-01-01T00:00:00.000Z",
      data: { user_id: "7" },
    });
  });

  it("records nothing with auditRetention 0, but still adds the webhook's messages", () => {
    const records = record({ auditRetention: 0, auditRotations: true, webhookUrl }, login, rotated, newDevice);
    expect(records.map(({ row }) => row)).toEqual([null, null, null]);
    expect(records.map(({ delivery }) => delivery?.id)).toEqual([undefined, undefined, id]);
  });
});
