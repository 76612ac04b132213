import { afterEach, describe, expect, it } from "vitest";
import { login } from "../../../src/flows/login.ts";
import { changePassword } from "../../../src/flows/passwords/change.ts";
import { revokeSessionsForUser } from "../../../src/flows/sessions/sessions.ts";
import { setPassword } from "../../../src/flows/users/users.ts";
import { alice, type TestAuth, testStart } from "../../support/auth.ts";
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
    const forged = [device, `${own.slice(0, -8)}AAAAAAAA`, `AAAAAAAA${own.slice(8)}`, own.slice(8), `${own}x`, "", "é"];
    for (const token of forged) expect(await t.attempt({ ...right, device: token })).toBe(day);
    expect(await t.attempt({ ...right, device: own })).toBe("in");
  });

  it("forgets a device 400 days after its last login", async () => {
    t = await startThrottled();
    const { device } = await t.logIn();
    const later = (await t.logIn()).device;
    await t.attemptWithWaits(1_000, fromEverywhere);
    const { clock } = t.auth;
    clock.advance(testStart + 400 * day - 1 - clock.now());
    expect(await t.attempt({ device })).toBe("wrong");
    clock.advance(1);
    expect(await t.attempt({ ...right, device })).toBe(day);
    expect(await t.attempt({ ...right, device: later })).toBe(day);
  });

  it.each([
    ["the user's password is set", (auth: TestAuth) => setPassword(auth.deps, auth.user.id, "another good password")],
    ["all of the user's sessions are revoked", (auth: TestAuth) => revokeSessionsForUser(auth.deps, auth.user.id)],
  ])("forgets the user's devices when %s", async (_, change) => {
    t = await startThrottled();
    const { device } = await t.logIn();
    await change(t.auth);
    await t.attemptWithWaits(1_000, fromEverywhere);
    expect(await t.attempt({ ...right, password: "another good password", device })).toBe(day);
  });

  it("keeps only the device on which the user changed the password, with its new token", async () => {
    t = await startThrottled();
    const [first, second] = [await t.logIn(), await t.logIn()];
    const newPassword = "another good password";
    const { id: userId } = t.auth.user;
    const change = { userId, sessionId: first.session.id, currentPassword: alice.password, newPassword };
    const { device } = await changePassword(t.auth.deps, change);
    await t.attemptWithWaits(1_000, fromEverywhere);
    for (const old of [first, second]) {
      expect(await t.attempt({ password: newPassword, device: old.device })).toBe(day);
    }
    expect(await t.attempt({ password: newPassword, device })).toBe("in");
  });

  it("knows a device of a user of the application's own table until the user's sessions are revoked", async () => {
    const user = { id: "7", username: "alice", isActive: true };
    const verifyCredentials = (_: string, password: string) => (password === alice.password ? user : null);
    t = await startThrottled({ verifyCredentials, findUser: () => user });
    const { device } = await t.logIn();
    await t.attemptWithWaits(1_000, fromEverywhere);
    expect(await t.attempt({ ...right, device })).toBe("in");
    await revokeSessionsForUser(t.auth.deps, "7");
    await t.attemptWithWaits(1_000, fromEverywhere);
    expect(await t.attempt({ ...right, device })).toBe(day);
  });

  it("gives each login a new device token that contains neither the username nor the user's id", async () => {
    t = await startThrottled();
    const { device } = await t.logIn();
    expect(device).toMatch(/^[\w-]{80,200}$/);
    expect(Buffer.from(device, "base64url").toString("latin1")).not.toContain("alice");
    expect((await t.logIn()).device).not.toBe(device);
  });
});
