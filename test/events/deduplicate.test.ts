import { describe, expect, it } from "vitest";
import { createDeduplicator, maxRemembered } from "../../src/events/deduplicate.ts";
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

  it("takes no event of another type as a duplicate", () => {
    const isDuplicate = createDeduplicator(createTestClock());
    const failed: AuthEvent = { type: "login_failed", time: 0, code: "no_active_account", reason: "", client: {} };
    expect([isDuplicate(failed), isDuplicate(failed)]).toEqual([false, false]);
  });

  it("remembers at most a thousand addresses, and takes further ones as duplicates", () => {
    const isDuplicate = createDeduplicator(createTestClock());
    const answers = Array.from({ length: maxRemembered + 1 }, (_, i) =>
      isDuplicate(throttled("address", `10.0.0.${i}`)),
    );
    expect(answers.indexOf(true)).toBe(maxRemembered);
  });
});
