import { describe, expect, it } from "vitest";
import type { AuditOf, AuditRow } from "../../../src/core/store/audit.ts";
import type { Scene } from "./scene.ts";

/** Returns a row as tokenpair 0.1 wrote it. */
const toRow = (type: string, time: number, details: object = {}): AuditRow => ({
  time,
  type,
  userId: "1",
  sessionId: "s",
  ip: null,
  userAgent: null,
  actor: null,
  note: null,
  reason: null,
  details: JSON.stringify(details),
});

/** Defines the tests of how every store reads rows that tokenpair 0.1 wrote under names of its own. */
export function describeFormerNamesContract(scene: Scene): void {
  const read = async (query: { type?: string; outcome?: string; limit?: number } = {}) =>
    (await scene.store.audit.read({ after: null, limit: 100, ...query })).entries;

  describe("entries of the audit log that tokenpair 0.1 wrote", () => {
    it("are returned under the names of today", async () => {
      await scene.store.audit.append([
        toRow("sessions_ended", 1, { sessions: 2 }),
        toRow("refresh", 2, { outcome: "theft", generation: 3 }),
        toRow("refresh", 3, { outcome: "renewed", generation: 4 }),
        toRow("refresh", 4, { outcome: "state_lost" }),
        toRow("login", 5),
      ]);
      expect((await read()).map(({ type, details }) => [type, details])).toEqual([
        ["sessions_revoked", { sessions: 2 }],
        ["refresh", { outcome: "reuse_detected", generation: 3 }],
        ["refresh", { outcome: "not_rotated", generation: 4 }],
        ["refresh", { outcome: "state_lost" }],
        ["login", {}],
      ]);
    });

    it("keep other members that have a former name as their value", async () => {
      await scene.store.audit.append([
        toRow("sessions_ended", 1, { outcome: "theft", note: "renewed" }),
        toRow("refresh", 2, { outcome: "refused", note: "theft" }),
      ]);
      expect((await read()).map(({ details }) => details)).toEqual([
        { outcome: "theft", note: "renewed" },
        { outcome: "refused", note: "theft" },
      ]);
    });

    it("are found by the type of today, with the entries of today", async () => {
      await scene.store.audit.append([
        toRow("sessions_ended", 1),
        toRow("sessions_revoked", 2),
        toRow("login", 3),
        toRow("sessions_ended", 4),
      ]);
      const found = await read({ type: "sessions_revoked" });
      expect(found.map(({ time, type }) => [time, type])).toEqual([1, 2, 4].map((time) => [time, "sessions_revoked"]));
      expect((await read({ type: "sessions_revoked", limit: 2 })).map(({ time }) => time)).toEqual([2, 4]);
    });

    it.each([
      ["reuse_detected", "theft"],
      ["not_rotated", "renewed"],
    ])("are found by the outcome %s if they have the outcome %s", async (outcome, former) => {
      await scene.store.audit.append([
        toRow("refresh", 1, { outcome: former }),
        toRow("refresh", 2, { outcome }),
        toRow("refresh", 3, { outcome: "refused" }),
      ]);
      const found = await read({ type: "refresh", outcome });
      expect(found.map(({ time, details }) => [time, details["outcome"]])).toEqual([
        [1, outcome],
        [2, outcome],
      ]);
    });

    it("are found on later pages too", async () => {
      const { audit } = scene.store;
      let { cursor } = await audit.read({ after: null, limit: 1 });
      await audit.append(
        [1, 2, 3, 4].map((time) => toRow(time % 2 === 0 ? "sessions_revoked" : "sessions_ended", time)),
      );
      const times: number[] = [];
      for (let more = true; more; ) {
        const page = await audit.read({ after: cursor, limit: 1, type: "sessions_revoked" });
        times.push(...page.entries.map(({ time }) => time));
        ({ cursor, more } = page);
      }
      expect(times).toEqual([1, 2, 3, 4]);
    });
  });

  describe("webhook messages that tokenpair 0.1 wrote", () => {
    const claimBodies = async (...bodies: string[]) => {
      const audit: AuditOf<unknown> = () =>
        bodies.map((body, i) => ({ row: null, delivery: { id: `msg_${i}`, body, at: scene.now } }));
      await scene.store.feed.revokeToken("jti", { audit });
      const deliveries = await scene.store.outbox.claim({ limit: 10, lease: 60 });
      return deliveries.toSorted((a, b) => a.id.localeCompare(b.id)).map(({ body }) => body);
    };

    it("are claimed with the message type of today", async () => {
      const rest = '"timestamp":"2026-01-01T00:00:00.000Z","data":{"user_id":"1","session_id":"s","ip":"192.0.2.1"}}';
      expect(await claimBodies(`{"type":"theft",${rest}`)).toEqual([`{"type":"reuse_detected",${rest}`]);
    });

    it("are claimed byte for byte if their type has not changed", async () => {
      const bodies = [
        '{"type":"new_device","timestamp":"2026-01-01T00:00:00.000Z","data":{"user_agent":"{\\"type\\":\\"theft\\","}}',
        '{"type":"reuse_detected","data":{}}',
        '{ "type": "thefts" }',
      ];
      expect(await claimBodies(...bodies)).toEqual(bodies);
    });
  });
}
