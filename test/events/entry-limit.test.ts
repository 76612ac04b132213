import { describe, expect, it } from "vitest";
import { createEntryLimit, maxPerMember, maxPerUser, maxThrottled, maxUsers } from "../../src/events/entry-limit.ts";
import type { AuthEvent } from "../../src/events/events.ts";
import type { StaffRefusedEvent } from "../../src/events/staff-events.ts";
import { createTestClock } from "../support/auth.ts";

const throttled = (scope: "account" | "address", ip: string, userId?: string): AuthEvent => ({
  type: "throttled",
  time: 0,
  scope,
  retryAfter: 9,
  client: { ip },
  ...(userId === undefined ? {} : { userId }),
});

describe("the entry limit", () => {
  it("allows one entry a minute about throttled requests, by account from any address or else by address", () => {
    const clock = createTestClock();
    const isOverLimit = createEntryLimit(clock);
    expect(isOverLimit(throttled("account", "192.0.2.1", "7"))).toBe(false);
    expect(isOverLimit(throttled("account", "192.0.2.2", "7"))).toBe(true);
    expect(isOverLimit(throttled("account", "192.0.2.1", "8"))).toBe(false);
    expect(isOverLimit(throttled("address", "192.0.2.1"))).toBe(false);
    expect(isOverLimit(throttled("address", "192.0.2.1"))).toBe(true);
    clock.advance(59);
    expect(isOverLimit(throttled("account", "192.0.2.1", "7"))).toBe(true);
    clock.advance(1);
    expect(isOverLimit(throttled("account", "192.0.2.1", "7"))).toBe(false);
  });

  it("begins a new minute if the clock was set back", () => {
    const clock = createTestClock();
    const isOverLimit = createEntryLimit(clock);
    isOverLimit(throttled("account", "192.0.2.1", "7"));
    clock.advance(-30);
    expect(isOverLimit(throttled("account", "192.0.2.1", "7"))).toBe(false);
  });

  const base = { time: 0, client: {}, userId: "7" } as const;
  const session = { ...base, sessionId: "s" } as const;
  it.each<readonly [string, AuthEvent]>([
    ["a CSRF refusal", { type: "csrf_refused", reason: "no token", ...session }],
    ["a refused refresh", { type: "refresh", outcome: "refused", reason: "revoked", ...session }],
    ["an unknown generation", { type: "refresh", outcome: "state_lost", ...session }],
    ["an ignored rotation", { type: "refresh", outcome: "rotation_ignored", ...session }],
    ["a pending login", { type: "login_pending", ...base }],
    ["a used ticket", { type: "login_failed", code: "ticket_invalid", reason: "", ...base }],
    ["a failed rehash", { type: "rehash_failed", reason: "", ...base }],
  ])("lets one user cause at most ten entries a minute about %s, and others theirs", (_, event) => {
    const clock = createTestClock();
    const isOverLimit = createEntryLimit(clock);
    const countEntries = (id: string) =>
      Array.from({ length: 50 }, () => isOverLimit({ ...event, userId: id } as AuthEvent)).filter((is) => !is).length;
    expect([countEntries("7"), countEntries("8"), countEntries("7")]).toEqual([maxPerUser, maxPerUser, 0]);
    clock.advance(60);
    expect(countEntries("7")).toBe(maxPerUser);
  });

  it("counts each type and outcome of its own", () => {
    const isOverLimit = createEntryLimit(createTestClock());
    const refused: AuthEvent = { type: "refresh", outcome: "refused", reason: "", ...session };
    for (let i = 0; i < 20; i++) isOverLimit(refused);
    expect(isOverLimit({ ...refused, outcome: "state_lost" })).toBe(false);
    expect(isOverLimit({ type: "csrf_refused", reason: "", ...session })).toBe(false);
  });

  it("doesn't limit failed logins and recorded rotations", () => {
    const isOverLimit = createEntryLimit(createTestClock());
    const failed: AuthEvent = { type: "login_failed", time: 0, code: "no_active_account", reason: "", client: {} };
    const refreshed: AuthEvent = { type: "refresh", outcome: "not_rotated", ...session };
    for (let i = 0; i < 20; i++) expect([isOverLimit(failed), isOverLimit(refreshed)]).toEqual([false, false]);
  });

  it("records the victim's refused refresh after those of a thousand other users", () => {
    const isOverLimit = createEntryLimit(createTestClock());
    const toRefused = (userId: string): AuthEvent => ({ ...session, type: "refresh", outcome: "refused", userId });
    for (let i = 0; i < 1_000; i++) isOverLimit(toRefused(`attacker-${i}`));
    expect(isOverLimit(toRefused("victim"))).toBe(false);
  });

  it("counts at most 24,000 users, and leaves the events of further ones to the queue", () => {
    const isOverLimit = createEntryLimit(createTestClock());
    const toPending = (userId: string): AuthEvent => ({ ...base, type: "login_pending", userId });
    for (let i = 0; i < maxUsers; i++) isOverLimit(toPending(`${i}`));
    const further = Array.from({ length: 2 * maxPerUser }, () => isOverLimit(toPending("further")));
    const counted = Array.from({ length: 2 * maxPerUser }, () => isOverLimit(toPending("0")));
    expect([further.includes(true), counted.indexOf(true)]).toEqual([false, maxPerUser - 1]);
  });

  it("allows entries about at most a thousand throttled addresses a minute, for each scope", () => {
    const isOverLimit = createEntryLimit(createTestClock());
    const answers = Array.from({ length: maxThrottled + 1 }, (_, i) =>
      isOverLimit(throttled("address", `10.0.0.${i}`)),
    );
    expect(answers.indexOf(true)).toBe(maxThrottled);
    expect(isOverLimit(throttled("account", "10.0.0.1", "7"))).toBe(false);
  });

  const refused: StaffRefusedEvent = { ...base, type: "staff_refused", action: "disableUser", code: "not_found" };

  it("records each of a member's refused attempts in the console, but no repetition within a minute", () => {
    const clock = createTestClock();
    const isOverLimit = createEntryLimit(clock);
    const attempts: readonly StaffRefusedEvent[] = [
      ...Array.from({ length: 2 * maxPerUser }, (_, i) => ({ ...refused, targetId: `${i}` })),
      { ...refused, action: "deleteStaffUser" },
      { ...refused, code: "permission_denied" },
      { ...refused, userId: "8" },
    ];
    expect(attempts.filter(isOverLimit)).toEqual([]);
    expect(attempts.filter((attempt) => !isOverLimit(attempt))).toEqual([]);
    clock.advance(60);
    expect(attempts.filter(isOverLimit)).toEqual([]);
  });

  it("allows at most a hundred entries a minute about one member's attempts, and others theirs", () => {
    const isOverLimit = createEntryLimit(createTestClock());
    const countEntries = (userId: string) =>
      Array.from({ length: 150 }, (_, i) => isOverLimit({ ...refused, userId, targetId: `${i}` })).filter((is) => !is);
    expect([countEntries("7").length, countEntries("8").length]).toEqual([maxPerMember, maxPerMember]);
  });
});
