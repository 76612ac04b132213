import { Hono } from "hono";
import { expect, expectTypeOf, it } from "vitest";
import { requireUser } from "../../../src/adapters/hono/index.ts";
import { type AuthUser, createAuth } from "../../../src/index.ts";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";
import { createScriptAuth, credentials, signingKey } from "../http-script.ts";

interface Account extends AuthUser {
  readonly plan: "free" | "gold";
}

it("keeps path parameters and the application's variables typed inside requireUser(auth, handler)", async () => {
  const { auth, close } = await createScriptAuth();
  const app = new Hono<{ Variables: { tenant: string } }>()
    .use(async (c, next) => {
      c.set("tenant", "acme");
      await next();
    })
    .get(
      "/tenants/:tenant/orders/:order",
      requireUser(auth, (c) => {
        expectTypeOf(c.req.param("order")).toEqualTypeOf<string>();
        expectTypeOf(c.get("tenant")).toEqualTypeOf<string>();
        expectTypeOf(c.get("auth").userId).toEqualTypeOf<string>();
        // @ts-expect-error the application has no such variable
        c.get("other");
        return c.json({ order: c.req.param("order"), tenant: c.get("tenant"), user: c.get("auth").userId });
      }),
    );
  const { access } = await auth.login(credentials);
  const headers = { Authorization: `Bearer ${access}` };
  const response = await app.request("/tenants/acme/orders/7", { headers });
  expect(await response.json()).toEqual({ order: "7", tenant: "acme", user: "1" });
  await close();
});

it("gives the handler the types of an Auth that isn't registered", async () => {
  const store = sqliteStore(":memory:");
  await store.migrate();
  const ada: Account = { id: "u-1", username: "ada", isActive: true, plan: "gold" };
  const auth = createAuth<Account>({ store, signingKey, loadUser: true, findUser: async () => ada });
  await auth.ready();
  const app = new Hono().get(
    "/plans/:id",
    requireUser(auth, (c) => {
      expectTypeOf(c.req.param("id")).toEqualTypeOf<string>();
      const { user } = c.get("auth");
      return c.json({ plan: user?.plan, id: c.req.param("id") });
    }),
  );
  const { access } = await auth.issue(ada.id);
  const response = await app.request("/plans/7", { headers: { Authorization: `Bearer ${access}` } });
  expect(await response.json()).toEqual({ plan: "gold", id: "7" });
  await auth.close();
  await store.close();
});
