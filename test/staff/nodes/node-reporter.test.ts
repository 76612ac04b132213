import { afterEach, expect, it } from "vitest";
import { getInternals } from "../../../src/internals.ts";
import { parseReport, startNodeReporter } from "../../../src/staff/nodes/node-reporter.ts";
import { createManualTime } from "../../support/manual-time.ts";
import { createStaffScene, type StaffScene } from "../setup.ts";

let scene: StaffScene;
afterEach(() => scene.close());

it("reports the lag of revocations and the durations of the last minute, and null without any", async () => {
  scene = await createStaffScene();
  const { deps } = getInternals(scene.auth);
  const { clock, schedule, advance } = createManualTime();
  const bodies: string[] = [];
  const staff = {
    ...scene.store.staff,
    report: async ({ body }: { readonly body: string }) => void bodies.push(body),
  };
  const lagListeners = new Set<(seconds: number) => void>();
  const parts = { ...deps, clock, store: { ...scene.store, staff } };
  const reporter = startNodeReporter(scene.auth, parts, { version: "1", lagListeners, schedule });
  const last = () => {
    const { lag_p99, login_p99, refresh_p99 } = parseReport(bodies.at(-1) ?? "{}") ?? {};
    return [lag_p99, login_p99, refresh_p99];
  };
  const reported = async (seconds: number) => {
    const before = bodies.length;
    await advance(seconds);
    await expect.poll(() => bodies.length).toBeGreaterThan(before);
    return last();
  };
  expect(await reported(5)).toEqual([null, null, null]);
  for (const listener of lagListeners) for (const seconds of [0.01, 0.02, 0.25]) listener(seconds);
  reporter.time("login", 80);
  reporter.time("refresh", 4);
  expect(await reported(5)).toEqual([250, 80, 4]);
  await reported(50);
  await reported(5);
  expect(await reported(5)).toEqual([null, null, null]);
  await reporter.stop();
  expect(lagListeners.size).toBe(0);
});

it("knows the lag of a revocation that another node has committed", async () => {
  scene = await createStaffScene();
  const { access } = await scene.addUser("ada", "admin");
  // Not through this node, which would know it already.
  await scene.store.feed.revokeToken("0".repeat(32), { confirm: true });
  await expect
    .poll(async () => (await scene.call(access, "GET", "nodes/")).body.results[0]?.lag_p99 ?? null, { interval: 500 })
    .toBeGreaterThanOrEqual(0);
});
