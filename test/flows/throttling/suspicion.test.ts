import { afterEach, describe, expect, it } from "vitest";
import type { SuspiciousLogin } from "../../../src/core/suspicious-login.ts";
import type { AuthUser } from "../../../src/core/user.ts";
import { login } from "../../../src/flows/login.ts";
import { alice, createTestAuth, type TestAuth } from "../../support/auth.ts";

let auth: TestAuth;
let told: SuspiciousLogin<AuthUser>[];

async function start(onSuspiciousLogin?: () => void): Promise<void> {
  told = [];
  const hook = (suspicious: SuspiciousLogin<AuthUser>) => void told.push(suspicious);
  auth = await createTestAuth({ settings: { onSuspiciousLogin: onSuspiciousLogin ?? hook } });
}
afterEach(() => auth.close());

const toClientInfo = (n: number) => ({ ip: `198.51.100.${n}` });

/** So many failures, each from another address, and as patient as need be. */
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
  it("is told of a success on an unknown device after five failures, and of no other", async () => {
    await start();
    await fail(4);
    await succeed();
    expect(told).toEqual([]);
    await fail(5);
    const { device } = await succeed();
    const client = { ip: "203.0.113.9" };
    const suspicious = { kind: "success_after_failures", user: auth.user, failures: 5, client };
    expect(told).toEqual([{ ...suspicious, user: expect.objectContaining({ id: auth.user.id, username: "alice" }) }]);
    await fail(10);
    await succeed(device);
    expect(told).toHaveLength(1);
  });

  it("is told once each when delays begin, when strangers are locked out, and when all are", async () => {
    await start();
    const { device } = await succeed();
    await fail(100);
    const { id: userId } = auth.user;
    const common = { userId, username: "alice", isLockedForAll: false };
    expect(told).toEqual([
      { ...common, kind: "account_delayed", failures: 20, client: toClientInfo(19) },
      { ...common, kind: "account_locked", failures: 90, client: toClientInfo(89) },
    ]);
    await fail(20, { device });
    expect(told.slice(2)).toEqual([
      { ...common, kind: "account_locked", failures: 100, isLockedForAll: true, client: toClientInfo(9) },
    ]);
  });

  it("is told nothing of names that no user has", async () => {
    await start();
    await fail(95, { username: "nobody" });
    expect(told).toEqual([]);
  });

  it("changes nothing by what it throws", async () => {
    let calls = 0;
    await start(() => {
      calls += 1;
      throw new Error("mail server down");
    });
    await fail(20);
    expect((await succeed()).user.id).toBe(auth.user.id);
    expect(calls).toBe(2);
  });

  it("keeps nobody waiting", async () => {
    await start(() => new Promise(() => {}) as never);
    await fail(6);
    expect((await succeed()).user.id).toBe(auth.user.id);
  });
});
