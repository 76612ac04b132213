import { describe, expect, it } from "vitest";
import type { AuthEvent } from "../../src/events/events.ts";
import { createListeners, createPublisher } from "../../src/events/publisher.ts";
import { createTestClock } from "../support/auth.ts";

const session = { time: 1, userId: "7", sessionId: "s1", client: {} };
const login: AuthEvent = { type: "login", ...session };
const refused: AuthEvent = { type: "refresh", outcome: "refused", ...session };
const forged: AuthEvent = { type: "refresh", outcome: "refused", time: 1, client: {} };
const notRotated: AuthEvent = { type: "refresh", outcome: "not_rotated", ...session };
const throttled: AuthEvent = {
  type: "throttled",
  scope: "address",
  retryAfter: 9,
  time: 1,
  client: { ip: "192.0.2.7" },
};

function createTestPublisher(settings: { auditRetention?: number; auditRotations?: boolean } = {}) {
  const emitted: AuthEvent[] = [];
  const queued: AuthEvent[] = [];
  const clock = createTestClock();
  const publish = createPublisher({
    emit: (event) => emitted.push(event),
    queue: (event) => queued.push(event),
    settings: { auditRetention: 90, auditRotations: false, ...settings },
    clock,
  });
  return { publish, clock, emitted, queued };
}

describe("the publisher", () => {
  it("emits every event, and queues those with the policy batch", () => {
    const { publish, emitted, queued } = createTestPublisher();
    for (const event of [refused, forged, notRotated]) publish(event);
    expect(emitted).toEqual([refused, forged, notRotated]);
    expect(queued).toEqual([refused]);
  });

  it("never queues an event with the policy transaction, as the change's transaction has recorded it", () => {
    const { publish, emitted, queued } = createTestPublisher({ auditRotations: true });
    const rotated: AuthEvent = { type: "refresh", outcome: "rotated", ...session };
    for (const event of [login, rotated]) publish(event);
    expect(emitted).toEqual([login, rotated]);
    expect(queued).toEqual([]);
  });

  it("queues refreshes without rotation if auditRotations is set", () => {
    const { publish, queued } = createTestPublisher({ auditRotations: true });
    publish(notRotated);
    expect(queued).toEqual([notRotated]);
  });

  it("queues nothing with auditRetention 0, and still emits every event", () => {
    const { publish, emitted, queued } = createTestPublisher({ auditRetention: 0, auditRotations: true });
    for (const event of [login, refused, notRotated, throttled]) publish(event);
    expect(emitted).toEqual([login, refused, notRotated, throttled]);
    expect(queued).toEqual([]);
  });

  it("emits every throttled request, and queues one a minute for the same address", () => {
    const { publish, clock, emitted, queued } = createTestPublisher();
    for (const _ of [1, 2]) publish(throttled);
    clock.advance(60);
    publish(throttled);
    expect(emitted).toHaveLength(3);
    expect(queued).toEqual([throttled, throttled]);
  });
});

describe("listeners", () => {
  it("get every event in the order in which they were added, until they are removed", () => {
    const { add, emit } = createListeners();
    const calls: string[] = [];
    const remove = add(({ type }) => calls.push(`first ${type}`));
    add(({ type }) => calls.push(`second ${type}`));
    emit(login);
    remove();
    emit(refused);
    expect(calls).toEqual(["first login", "second login", "second refresh"]);
  });

  it("get an event even if the one before throws, and the emitter doesn't throw", () => {
    const { add, emit } = createListeners();
    const seen: AuthEvent[] = [];
    add(() => {
      throw new Error("failed");
    });
    add((event) => seen.push(event));
    emit(login);
    expect(seen).toEqual([login]);
  });
});
