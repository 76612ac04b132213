import { afterEach, describe, expect, it } from "vitest";
import { followAppState } from "../../src/client/bearer/native.ts";
import { alice, createTestAuth, type TestAuth } from "../support/auth.ts";
import { type App, createDevice, type DeviceOptions } from "./native-device.ts";

let auth: TestAuth;
afterEach(() => auth.close());

/** Returns numbers from 0 to 1 that depend on the seed alone (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What `count` kills have led to. */
interface Survival {
  readonly kills: number;
  /** Refreshes that the server answered. */
  readonly refreshes: number;
  /** Those that it answered a second time. */
  readonly replays: number;
  /** Times that an app showed nobody, or the server had ended the session, although nobody logged out. */
  readonly falseLogouts: readonly string[];
}

/** Seconds between two things that happen to the app: mostly moments, sometimes days. */
function toPause(random: () => number): number {
  const kind = random();
  if (kind < 0.5) return Math.floor(random() * 20);
  if (kind < 0.97) return Math.floor(random() * 3_600);
  return Math.floor(random() * 3 * 86_400);
}

async function survive(count: number, options: Partial<DeviceOptions> = {}): Promise<Survival> {
  const random = createRandom(Number(process.env["TOKENPAIR_KILL_SEED"] ?? 20_260));
  auth = await createTestAuth({ settings: { onStale: "lookup", sessionLifetime: 3_650 * 86_400 } });
  const device = createDevice(auth, { random, ...options });
  const falseLogouts: string[] = [];
  const watch = (app: App, when: string) => {
    app.client.onChange(({ status, reason }) => {
      if (status === "anonymous" && !app.isDead()) falseLogouts.push(`${when}: ${reason}`);
    });
    return app;
  };
  async function logIn(): Promise<void> {
    const app = device.start();
    app.isOnline = true;
    await app.finish(app.client.login(alice));
    app.kill();
  }
  await logIn();
  let kills = 0;
  while (kills < count) {
    const known = falseLogouts.length;
    const app = watch(device.start(1 + Math.floor(random() * 40)), `kill ${kills}`);
    void app.client.ready().catch(() => undefined);
    await app.settle();
    for (let turn = 0; turn < 30 && !app.isDead(); turn += 1) {
      const choice = random();
      if (choice < 0.4) void app.client.fetch("/api/auth/me/").catch(() => undefined);
      else if (choice < 0.5) void app.client.refresh().catch(() => undefined);
      if (choice < 0.7) await app.advance(toPause(random));
      else await app.suspend(toPause(random));
    }
    app.kill();
    kills += 1;
    auth.clock.advance(toPause(random));
    // Now and then, the network is good again. Then the user must be logged in.
    if (random() < 0.25) {
      const check = watch(device.start(), `after kill ${kills}`);
      check.isOnline = true;
      const { status, problem } = await check.finish(check.client.ready());
      if (status !== "authenticated") falseLogouts.push(`after kill ${kills}: ${status} ${problem}`);
      const me = await check.finish(check.client.fetch("/api/auth/me/"));
      if (me.status !== 200) falseLogouts.push(`after kill ${kills}: the server answers ${me.status}`);
      check.kill();
    }
    if (falseLogouts.length > known) await logIn();
  }
  const outcomes = auth.events.flatMap((event) => (event.type === "refresh" ? [event.outcome] : []));
  const replays = outcomes.filter((outcome) => outcome === "replayed").length;
  return { kills, refreshes: outcomes.length, replays, falseLogouts };
}

describe("a native app", () => {
  it("keeps its user logged in although it is killed at any step, its responses are lost, and it sleeps for days", async () => {
    const { kills, refreshes, replays, falseLogouts } = await survive(Number(process.env["TOKENPAIR_KILLS"] ?? 1_000));
    expect(falseLogouts).toEqual([]);
    // Otherwise nothing was at stake.
    expect(refreshes).toBeGreaterThan(300);
    expect(replays).toBeGreaterThan(20);
    console.log(`native: ${kills} kills, ${refreshes} refreshes, ${replays} replays: 0 false logouts`);
  });

  it("would log its user out if the storage lost the idempotency key of a refresh", async () => {
    const { falseLogouts } = await survive(200, { forgets: (key) => key.endsWith("_23attempt") });
    expect(falseLogouts.length).toBeGreaterThan(0);
  });

  it("shows nobody as logged out while the device is locked and the storage can't be read", async () => {
    const random = createRandom(1);
    auth = await createTestAuth();
    let isLocked = false;
    const device = createDevice(auth, { random, isLocked: () => isLocked });
    const first = device.start();
    first.isOnline = true;
    await first.finish(first.client.login(alice));
    first.kill();

    isLocked = true;
    const second = device.start();
    second.isOnline = true;
    await second.settle();
    expect(second.client.session()).toMatchObject({ status: "loading", problem: "storage_failed" });
    isLocked = false;
    await second.suspend(60);
    await second.advance(1);
    expect(second.client.session()).toMatchObject({ status: "authenticated" });
    expect(second.client.session().problem).toBeUndefined();
  });

  it("does nothing when it goes to the background, or after the client stopped following", async () => {
    const calls: string[] = [];
    const listeners = new Set<(state: string) => void>();
    let problem: "offline" | undefined;
    const client = {
      ensure: async () => calls.push("ensure"),
      refresh: async () => {
        calls.push("refresh");
        throw new Error("offline");
      },
      session: () => ({ problem }),
    } as unknown as Parameters<typeof followAppState>[0];
    const stop = followAppState(client, {
      addEventListener(_type, listener) {
        listeners.add(listener);
        return { remove: () => void listeners.delete(listener) };
      },
    });
    const change = (state: string) => {
      for (const listener of listeners) listener(state);
    };
    change("background");
    change("inactive");
    expect(calls).toEqual([]);
    change("active");
    problem = "offline";
    change("active");
    expect(calls).toEqual(["ensure", "refresh"]);
    stop();
    change("active");
    expect(calls).toHaveLength(2);
  });
});
