import { afterEach, describe, expect, it } from "vitest";
import { login } from "../../../src/flows/login.ts";
import { bob, day, fromEverywhere, right, startThrottled, type Throttled } from "./attempts.ts";

let t: Throttled;

afterEach(() => t.auth.close());

describe("the login throttle, on a known device,", () => {
  it("admits a known device while unknown devices have locked the account for themselves", async () => {
    t = await startThrottled();
    const { device } = await t.logIn();
    expect(await t.attemptWithWaits(1_000, fromEverywhere)).toBe(90);
    expect(await t.attempt({ ...right, ip: "203.0.113.9" })).toBe(day);
    expect(await t.attempt({ ...right, ip: "203.0.113.9", device })).toBe("in");
  });

  it("admits a known device from an address that is throttled for others", async () => {
    t = await startThrottled();
    const { device } = await t.logIn();
    await t.attemptTimes(51, (n) => ({ username: `user${n}`, ip: "203.0.113.9" }));
    expect(await t.attempt({ ...right, ip: "203.0.113.9", device })).toBe("in");
  });

  it("delays a known device after five failures of its own, and no other device", async () => {
    t = await startThrottled();
    const { device } = await t.logIn();
    expect(await t.attemptTimes(6, () => ({ device }))).toEqual([...Array(5).fill("wrong"), 5]);
    expect(await t.attempt({ ...right, ip: "192.0.2.1" })).toBe("in");
  });

  it("reserves the account's last ten failures for all known devices together, so that 100 are never exceeded", async () => {
    t = await startThrottled();
    const devices = [(await t.logIn()).device, (await t.logIn()).device];
    await t.attemptWithWaits(1_000, fromEverywhere);
    const known = await t.attemptWithWaits(1_000, (n) => ({ device: devices[n % 2] ?? "" }));
    expect(known).toBe(10);
    expect(await t.attempt({ ...right, device: devices[0] ?? "" })).toBe(day);
  });

  it("treats a device as unknown if its token is another user's or was changed", async () => {
    t = await startThrottled();
    const { device } = await login(t.auth.deps, bob);
    const { device: own } = await t.logIn();
    await t.attemptWithWaits(90, fromEverywhere);
    const [id = "", signature = ""] = own.split(".");
    const forged = [
      device,
      `${id}.${"A".repeat(43)}`,
      `${"A".repeat(22)}.${signature}`,
      id,
      `${own}x`,
      "",
      "é".repeat(66),
    ];
    for (const token of forged) expect(await t.attempt({ ...right, device: token })).toBe(day);
    expect(await t.attempt({ ...right, device: own })).toBe("in");
  });

  it("gives each login a new device token that contains neither the username nor the user's id", async () => {
    t = await startThrottled();
    const { device } = await t.logIn();
    expect(device).toMatch(/^[\w-]{22}\.[\w-]{43}$/);
    expect((await t.logIn()).device).not.toBe(device);
  });
});
