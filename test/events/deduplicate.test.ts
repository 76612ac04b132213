import { describe, expect, it } from "vitest";
import { createDeduplicator, maxPerUser, maxRemembered } from "../../src/events/deduplicate.ts";
import type { AuthEvent } from "../../src/events/events.ts";
import { createTestClock } from "../support/auth.ts";

const throttled = (scope: "account" | "address", ip: string, userId?: string): AuthEvent => ({
  type: "throttled",
  time: 0,
  scope,
  retryAfter: 9,
  client: { ip },
  ...(userId === undefined ? {} : { userId }),
});

describe("the deduplicator", () => {
  it("takes a throttled request as a duplicate for a minute, by account from any address or else by address", () => {
    const clock = createTestClock();
    const isDuplicate = createDeduplicator(clock);
    expect(isDuplicate(throttled("account", "192.0.2.1", "7"))).toBe(false);
    expect(isDuplicate(throttled("account", "192.0.2.2", "7"))).toBe(true);
    expect(isDuplicate(throttled("account", "192.0.2.1", "8"))).toBe(false);
    expect(isDuplicate(throttled("address", "192.0.2.1"))).toBe(false);
    expect(isDuplicate(throttled("address", "192.0.2.1"))).toBe(true);
    clock.advance(59);
    expect(isDuplicate(throttled("account", "192.0.2.1", "7"))).toBe(true);
    clock.advance(1);
    expect(isDuplicate(throttled("account", "192.0.2.1", "7"))).toBe(false);
  });

  it("begins a new minute if the clock was set back", () => {
    const clock = createTestClock();
    const isDuplicate = createDeduplicator(clock);
    isDuplicate(throttled("account", "192.0.2.1", "7"));
    clock.advance(-30);
    expect(isDuplicate(throttled("account", "192.0.2.1", "7"))).toBe(false);
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
    ["a refusal in the console", { type: "staff_refused", action: "disableUser", code: "not_staff", ...base }],
  ])("lets one user cause at most ten entries a minute about %s, and others theirs", (_, event) => {
    const clock = createTestClock();
    const isDuplicate = createDeduplicator(clock);
    const countEntries = (id: string) =>
      Array.from({ length: 50 }, () => isDuplicate({ ...event, userId: id } as AuthEvent)).filter((is) => !is).length;
    expect([countEntries("7"), countEntries("8"), countEntries("7")]).toEqual([maxPerUser, maxPerUser, 0]);
    clock.advance(60);
    expect(countEntries("7")).toBe(maxPerUser);
  });

  it("counts each type and outcome of its own", () => {
    const isDuplicate = createDeduplicator(createTestClock());
    const refused: AuthEvent = { type: "refresh", outcome: "refused", reason: "", ...session };
    for (let i = 0; i < 20; i++) isDuplicate(refused);
    expect(isDuplicate({ ...refused, outcome: "state_lost" })).toBe(false);
    expect(isDuplicate({ type: "csrf_refused", reason: "", ...session })).toBe(false);
  });

  it("takes no failed login and no recorded rotation as a duplicate", () => {
    const isDuplicate = createDeduplicator(createTestClock());
    const failed: AuthEvent = { type: "login_failed", time: 0, code: "no_active_account", reason: "", client: {} };
    const refreshed: AuthEvent = { type: "refresh", outcome: "not_rotated", ...session };
    for (let i = 0; i < 20; i++) expect([isDuplicate(failed), isDuplicate(refreshed)]).toEqual([false, false]);
  });

  it("remembers at most a thousand addresses, and takes further ones as duplicates", () => {
    const isDuplicate = createDeduplicator(createTestClock());
    const answers = Array.from({ length: maxRemembered + 1 }, (_, i) =>
      isDuplicate(throttled("address", `10.0.0.${i}`)),
    );
    expect(answers.indexOf(true)).toBe(maxRemembered);
  });
});
