import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { requireUser as requireUserOfHono } from "../../src/adapters/hono.ts";
import { requireUser as requireUserOfNode } from "../../src/adapters/node.ts";
import { type AuthUser, createAuth, type User } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { signingKey } from "../support/auth.ts";
import { addUser, bearer } from "./node.ts";

interface Account extends AuthUser {
  readonly plan: "free" | "gold";
}

const ada: Account = { id: "u-1", username: "ada", isActive: true, plan: "gold" };

const createAccounts = (store: ReturnType<typeof sqliteStore>) =>
  createAuth({
    store,
    signingKey,
    loadUser: true,
    verifyCredentials: async (username): Promise<Account | null> => (username === "ada" ? ada : null),
    findUser: async (id): Promise<Account | null> => (id === ada.id ? ada : null),
    claims: (user: Account) => ({ plan: user.plan, seats: 3 }),
  });

describe("the application's types", () => {
  let store: ReturnType<typeof sqliteStore>;
  let auth: ReturnType<typeof createAccounts>;

  beforeEach(async () => {
    store = sqliteStore(":memory:");
    await store.migrate();
    auth = createAccounts(store);
    await auth.ready();
  });
  afterEach(async () => {
    auth.close();
    await store.close();
  });

  it("come back through login and issue", async () => {
    const { user } = await auth.login({ username: "ada", password: "?" });
    expectTypeOf(user).toEqualTypeOf<Account>();
    expectTypeOf((await auth.issue("u-1")).user).toEqualTypeOf<Account>();
    expect(user).toEqual(ada);
  });

  it("come back through authenticate, claims and user", async () => {
    const { access } = await auth.issue("u-1");
    const { payload, user } = await auth.authenticate(bearer(access));
    expectTypeOf(payload.plan).toEqualTypeOf<"free" | "gold">();
    expectTypeOf(payload.seats).toEqualTypeOf<number>();
    expectTypeOf(user).toEqualTypeOf<Account | undefined>();
    expect(payload).toMatchObject({ plan: "gold", seats: 3, user_id: "u-1" });
    expect(user).toEqual(ada);
  });

  it("come back through verify and signal", async () => {
    const { access } = await auth.issue("u-1");
    const claims = await auth.verify(access);
    if (claims.type !== "access") throw new Error("not an access token");
    expectTypeOf(claims.payload.plan).toEqualTypeOf<"free" | "gold">();
    expect(auth.signal(claims).aborted).toBe(false);
  });

  it("come back through requireUser of the adapters", async () => {
    const guard = requireUserOfNode(auth);
    expectTypeOf<NonNullable<Awaited<ReturnType<typeof guard>>>["user"]>().toEqualTypeOf<Account | undefined>();
    const app = new Hono().get("/plan", requireUserOfHono(auth), (c) => {
      expectTypeOf(c.get("auth").user).toEqualTypeOf<Account | undefined>();
      return c.text(c.get("auth").payload.plan);
    });
    const { access } = await auth.issue("u-1");
    expect(await (await app.request("/plan", { headers: bearer(access) })).text()).toBe("gold");
  });
});

describe("tokenpair's own types", () => {
  it("stand where the application has none", async () => {
    const store = sqliteStore(":memory:");
    await store.migrate();
    const auth = createAuth({ store, signingKey });
    const { user } = await auth.issue(await addUser(auth));
    expectTypeOf(user).toEqualTypeOf<User>();
    expect(user).toMatchObject({ username: "ada", isStaff: false, email: null });
    auth.close();
    await store.close();
  });
});
