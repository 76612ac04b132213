import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { type AuthEnv, requireUser as requireUserOfHono } from "../../src/adapters/hono/index.ts";
import { requireUser as requireUserOfNode } from "../../src/adapters/node/index.ts";
import {
  type AnyAuth,
  type AnyCheck,
  type Auth,
  type Authentication,
  type AuthenticationOf,
  type AuthUser,
  createAuth,
  type RegisteredAuthentication,
  type User,
} from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { signingKey } from "../support/auth.ts";
import { addUser, bearer } from "./node.ts";

interface Account extends AuthUser {
  readonly plan: "free" | "gold";
}

interface AccountClaims {
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

let store: ReturnType<typeof sqliteStore>;
beforeEach(async () => {
  store = sqliteStore(":memory:");
  await store.migrate();
});
afterEach(() => store.close());

describe("the application's own types", () => {
  let auth: ReturnType<typeof createAccounts>;

  beforeEach(async () => {
    auth = createAccounts(store);
    await auth.ready();
  });
  afterEach(() => auth.close());

  it("returns the application's user from login and issue", async () => {
    const { user } = await auth.login({ username: "ada", password: "?" });
    expectTypeOf(user).toEqualTypeOf<Account>();
    expectTypeOf((await auth.issue("u-1")).user).toEqualTypeOf<Account>();
    expect(user).toEqual(ada);
  });

  it("returns the application's claims and user from authenticate", async () => {
    const { access } = await auth.issue("u-1");
    const { payload, user } = await auth.authenticate(bearer(access));
    expectTypeOf(payload.plan).toEqualTypeOf<"free" | "gold">();
    expectTypeOf(payload.seats).toEqualTypeOf<number>();
    expectTypeOf(user).toEqualTypeOf<Account | undefined>();
    expect(payload).toMatchObject({ plan: "gold", seats: 3, user_id: "u-1" });
    expect(user).toEqual(ada);
  });

  it("returns the application's claims and user from check", async () => {
    const { access } = await auth.issue("u-1");
    const checked = await auth.check(bearer(access));
    if (!checked.ok) throw new Error("refused");
    expectTypeOf(checked.authentication).toEqualTypeOf<AuthenticationOf<typeof auth>>();
    expectTypeOf(checked.authentication.user).toEqualTypeOf<Account | undefined>();
    expect(checked.authentication.payload.plan).toBe("gold");
  });

  it("returns the application's claims from verify, and signal accepts them", async () => {
    const { access } = await auth.issue("u-1");
    const claims = await auth.verify(access);
    if (claims.type !== "access") throw new Error("not an access token");
    expectTypeOf(claims.payload.plan).toEqualTypeOf<"free" | "gold">();
    expect(auth.signal(claims).aborted).toBe(false);
  });

  it("returns the application's claims and user from requireUser of Node and Hono", async () => {
    const authenticate = requireUserOfNode(auth);
    expectTypeOf<NonNullable<Awaited<ReturnType<typeof authenticate>>>["user"]>().toEqualTypeOf<Account | undefined>();
    const app = new Hono<AuthEnv<typeof auth>>().get("/plan", requireUserOfHono(auth), (c) => {
      expectTypeOf(c.get("auth").user).toEqualTypeOf<Account | undefined>();
      return c.text(c.get("auth").payload.plan);
    });
    app.get(
      "/seats",
      requireUserOfHono(auth, (c) => c.text(String(c.get("auth").payload.seats))),
    );
    const { access } = await auth.issue("u-1");
    expect(await (await app.request("/plan", bearer(access))).text()).toBe("gold");
    expect(await (await app.request("/seats", bearer(access))).text()).toBe("3");
  });

  it("accepts an interface as the type of the claims, and accepts such an Auth as AnyAuth and AnyCheck", async () => {
    const accounts = createAuth<Account, AccountClaims>({
      store,
      signingKey,
      findUser: async () => ada,
      claims: ({ plan }) => ({ plan }),
    });
    await accounts.ready();
    const issueTo = async ({ issue }: AnyAuth, id: string) => (await issue(id)).access;
    const check = ({ check }: AnyCheck, access: string) => check(bearer(access));
    expectTypeOf<Auth<Account, AccountClaims>>().toExtend<AnyAuth>();
    expectTypeOf<AuthenticationOf<typeof accounts>>().toEqualTypeOf<Authentication<Account, AccountClaims>>();
    expect(check(accounts, await issueTo(accounts, "u-1"))).toMatchObject({
      authentication: { payload: { plan: "gold" } },
    });
    expect(check(auth, await issueTo(auth, "u-1"))).toBeInstanceOf(Promise);
    await accounts.close();
  });

  it("refuses claims and users of another type at compile time", () => {
    const options = { store, signingKey, findUser: async () => ada };
    // @ts-expect-error: the claims lack `plan`
    expect(createAuth<Account, AccountClaims>({ ...options, claims: () => ({}) })).toBeDefined();
    // @ts-expect-error: the user lacks `plan`
    expect(createAuth<Account>({ ...options, findUser: async () => ({ ...ada, plan: undefined }) })).toBeDefined();
  });
});

describe("tokenpair's own types", () => {
  it("returns tokenpair's own users if the application has no user table", async () => {
    const auth = createAuth({ store, signingKey });
    const { user } = await auth.issue(await addUser(auth));
    expectTypeOf(user).toEqualTypeOf<User>();
    expect(user).toMatchObject({ username: "ada", role: null, email: null });
    await auth.close();
  });

  it("gives req.auth tokenpair's own types if no Auth is registered", () => {
    expectTypeOf<RegisteredAuthentication>().toEqualTypeOf<Authentication<User>>();
    expectTypeOf<Express.Request["auth"]>().toEqualTypeOf<Authentication<User>>();
  });
});
