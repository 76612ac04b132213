/** A program of its own, because `Register` applies to all files of a program. */
import express from "express";
import fastify from "fastify";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import * as forExpress from "../../../src/adapters/express/index.ts";
import * as forFastify from "../../../src/adapters/fastify/index.ts";
import { type Authentication, type AuthUser, createAuth, type RegisteredAuthentication } from "../../../src/index.ts";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";

interface Account extends AuthUser {
  readonly plan: "free" | "gold";
}

interface AccountClaims {
  readonly plan: "free" | "gold";
}

const ada: Account = { id: "u-1", username: "ada", isActive: true, plan: "gold" };
const store = sqliteStore(":memory:");
await store.migrate();
const auth = createAuth<Account, AccountClaims>({
  store,
  signingKey: "a signing key for tests, at least 32 bytes",
  loadUser: true,
  findUser: async (id) => (id === ada.id ? ada : null),
  claims: ({ plan }) => ({ plan }),
});

declare module "tokenpair" {
  interface Register {
    auth: typeof auth;
  }
}

describe("an Auth that the application has registered", () => {
  let headers: Record<string, string>;
  beforeAll(async () => {
    await auth.ready();
    const { access } = await auth.issue(ada.id);
    headers = { Authorization: `Bearer ${access}` };
  });
  afterAll(async () => {
    await auth.close();
    await store.close();
  });

  it("gives RegisteredAuthentication the application's user and claims types", () => {
    expectTypeOf<RegisteredAuthentication>().toEqualTypeOf<Authentication<Account, AccountClaims>>();
  });

  it("gives Express's req.auth the application's user and claims types without a cast", async () => {
    const app = express();
    app.get("/plan", forExpress.requireUser(auth), (req, res) => {
      expectTypeOf(req.auth.user).toEqualTypeOf<Account | undefined>();
      const plan: "free" | "gold" = req.auth.payload.plan;
      res.json([plan, req.auth.user?.plan]);
    });
    const server = app.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const response = await fetch(`http://127.0.0.1:${address.port}/plan`, { headers });
    expect(await response.json()).toEqual(["gold", "gold"]);
    server.closeAllConnections();
    server.close();
  });

  it("gives Fastify's request.auth the application's user and claims types without a cast", async () => {
    const app = fastify();
    await app.register(forFastify.authRoutes(auth));
    app.get("/plan", { onRequest: forFastify.requireUser(auth) }, async (request) => {
      expectTypeOf(request.auth.user).toEqualTypeOf<Account | undefined>();
      const plan: "free" | "gold" = request.auth.payload.plan;
      return [plan, request.auth.user?.plan];
    });
    const response = await app.inject({ url: "/plan", headers });
    expect(response.json()).toEqual(["gold", "gold"]);
    await app.close();
  });
});
