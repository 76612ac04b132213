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

describe("repetitions", () => {
  it("are refusals of one account, from wherever, or of one address, within a minute", () => {
    const clock = createTestClock();
    const isRepeated = createDeduplicator(clock);
    expect(isRepeated(throttled("account", "192.0.2.1", "7"))).toBe(false);
    expect(isRepeated(throttled("account", "192.0.2.2", "7"))).toBe(true);
    expect(isRepeated(throttled("account", "192.0.2.1", "8"))).toBe(false);
    expect(isRepeated(throttled("address", "192.0.2.1"))).toBe(false);
    expect(isRepeated(throttled("address", "192.0.2.1"))).toBe(true);
    clock.advance(60);
    expect(isRepeated(throttled("account", "192.0.2.1", "7"))).toBe(false);
    clock.advance(-30);
    expect(isRepeated(throttled("account", "192.0.2.1", "7"))).toBe(false);
  });

  it("are never events of another type", () => {
    const isRepeated = createDeduplicator(createTestClock());
    const failed: AuthEvent = { type: "login_failed", time: 0, code: "no_active_account", reason: "", client: {} };
    expect([isRepeated(failed), isRepeated(failed)]).toEqual([false, false]);
  });

  it("take no more memory than a thousand of them, however many addresses there are", () => {
    const isRepeated = createDeduplicator(createTestClock());
    const answers = Array.from({ length: maxRemembered + 1 }, (_, i) =>
      isRepeated(throttled("address", `10.0.0.${i}`)),
    );
    expect(answers.indexOf(true)).toBe(maxRemembered);
  });
});
