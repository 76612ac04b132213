/**
 * tRPC over Express: protected procedures, roles, and a subscription that ends at a logout:
 * `npm install && SIGNING_KEY=$(openssl rand -hex 48) node server.ts`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { initTRPC, TRPCError } from "@trpc/server";
import { type CreateExpressContextOptions, createExpressMiddleware } from "@trpc/server/adapters/express";
import express from "express";
import { AuthError, createAuth } from "tokenpair";
import { authRoutes } from "tokenpair/express";
import { sqliteStore } from "tokenpair/sqlite";

const editors = ["alice"];
const store = sqliteStore("data/trpc.db");
await store.migrate();
const auth = createAuth({
  store,
  signingKey: process.env["SIGNING_KEY"] ?? "",
  claims: ({ username }): { role: "reader" | "editor" } => ({ role: editors.includes(username) ? "editor" : "reader" }),
});
await auth.ready();
for (const username of ["alice", "bob"]) {
  await auth.users.create({ username, password: "correct horse battery staple" }).catch((error: unknown) => {
    if (!(error instanceof AuthError) || error.code !== "username_taken") throw error;
  });
}

/** Checks a request once, for all of its procedures. */
const createContext = async ({ req }: CreateExpressContextOptions) => ({ check: await auth.check(req) });
const t = initTRPC.context<typeof createContext>().create();
const codes = { 401: "UNAUTHORIZED", 403: "FORBIDDEN", 503: "SERVICE_UNAVAILABLE" } as const;

const protectedProcedure = t.procedure.use(async ({ ctx: { check }, next }) => {
  if (check.ok) return next({ ctx: { user: check.authentication } });
  const { detail } = (await check.response.clone().json()) as { readonly detail: string };
  throw new TRPCError({ code: codes[check.response.status as keyof typeof codes], message: detail });
});

const requireRole = (role: "reader" | "editor") =>
  protectedProcedure.use(({ ctx, next }) => {
    if (ctx.user.payload.role === role) return next();
    throw new TRPCError({ code: "FORBIDDEN", message: `Only for the role ${role}.` });
  });

const router = t.router({
  version: t.procedure.query(() => "1"),
  me: protectedProcedure.query(({ ctx }) => ctx.user.userId),
  publish: requireRole("editor").mutation(({ ctx }) => `published by ${ctx.user.userId}`),
  clock: protectedProcedure.subscription(async function* ({ ctx, signal }) {
    const live = auth.signal(ctx.user, { until: "session", ...(signal && { signal }) });
    while (!live.aborted) {
      yield new Date().toISOString();
      await sleep(1_000, null, { signal: live }).catch(() => undefined);
    }
    if (!signal?.aborted) throw new TRPCError({ code: "UNAUTHORIZED", message: "logged out" });
  }),
});
export type AppRouter = typeof router;

const app = express();
app.use(authRoutes(auth));
app.use(
  "/trpc",
  createExpressMiddleware({
    router,
    createContext,
    // The challenge tells the client that the access token was refused, so that it refreshes.
    responseMeta({ ctx, errors }) {
      const challenge = ctx?.check.ok === false && ctx.check.response.headers.get("WWW-Authenticate");
      return challenge && errors.length > 0 ? { headers: { "WWW-Authenticate": challenge } } : {};
    },
  }),
);
const server = app.listen(Number(process.env["PORT"] ?? 3000), () => console.log("listening", server.address()));
