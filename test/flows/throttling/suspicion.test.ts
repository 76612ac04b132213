import { afterEach, describe, expect, it } from "vitest";
import type { SuspiciousLogin } from "../../../src/core/suspicious-login.ts";
import type { AuthUser } from "../../../src/core/user.ts";
import { login } from "../../../src/flows/login.ts";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";

let auth: TestAuth;
let reports: SuspiciousLogin<AuthUser>[];

async function start(onSuspiciousLogin?: () => void): Promise<void> {
  reports = [];
  const hook = (suspicious: SuspiciousLogin<AuthUser>) => void reports.push(suspicious);
  auth = await createTestAuth({ settings: { onSuspiciousLogin: onSuspiciousLogin ?? hook } });
}
afterEach(() => auth.close());

const toClientInfo = (n: number) => ({ ip: `198.51.100.${n}` });

/** Fails to log in `times` times, each time from another address and after the longest delay. */
async function fail(times: number, { username = "alice", device }: { username?: string; device?: string } = {}) {
  for (let n = 0; n < times; n++) {
    auth.clock.advance(900);
    await login(auth.deps, { username, password: "wrong" }, { client: toClientInfo(n), device }).catch(() => {});
  }
}

const succeed = (device?: string) => {
  auth.clock.advance(900);
  return login(auth.deps, alice, { client: { ip: "203.0.113.9" }, device });
};

describe("onSuspiciousLogin", () => {
  it("calls onSuspiciousLogin for a success on an unknown device after five failures, and for no other success", async () => {
    await start();
    await fail(4);
    await succeed();
    expect(reports).toEqual([]);
    await fail(5);
    const { device } = await succeed();
    const client = { ip: "203.0.113.9" };
    const suspicious = { kind: "success_after_failures", user: auth.user, failures: 5, client };
    expect(reports).toEqual([
      { ...suspicious, user: expect.objectContaining({ id: auth.user.id, username: "alice" }) },
    ]);
    await fail(10);
    await succeed(device);
    expect(reports).toHaveLength(1);
  });

  it("calls onSuspiciousLogin once when delays begin, once when unknown devices are locked out, and once when all are", async () => {
    await start();
    const { device } = await succeed();
    await fail(100);
    const { id: userId } = auth.user;
    const common = { userId, username: "alice", isLockedForAll: false };
    expect(reports).toEqual([
      { ...common, kind: "account_delayed", failures: 20, client: toClientInfo(19) },
      { ...common, kind: "account_locked", failures: 90, client: toClientInfo(89) },
    ]);
    await fail(20, { device });
    expect(reports.slice(2)).toEqual([
      { ...common, kind: "account_locked", failures: 100, isLockedForAll: true, client: toClientInfo(9) },
    ]);
  });

  it("does not call onSuspiciousLogin for names that no user has", async () => {
    await start();
    await fail(95, { username: "nobody" });
    expect(reports).toEqual([]);
  });

  it("lets a login succeed although onSuspiciousLogin throws", async () => {
    let calls = 0;
    await start(() => {
      calls += 1;
      throw new Error("mail server down");
    });
    await fail(20);
    expect((await succeed()).user.id).toBe(auth.user.id);
    expect(calls).toBe(2);
  });

  it("does not wait for onSuspiciousLogin", async () => {
    await start(() => new Promise(() => {}) as never);
    await fail(6);
    expect((await succeed()).user.id).toBe(auth.user.id);
  });
});
