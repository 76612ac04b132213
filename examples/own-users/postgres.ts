/**
 * Members in a table of your own, with Drizzle over PostgreSQL:
 * `SIGNING_KEY=$(openssl rand -hex 48) DATABASE_URL=postgres://… node postgres.ts`.
 */
import { serve } from "@hono/node-server";
import { and, eq, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { boolean, pgTable, text } from "drizzle-orm/pg-core";
import { Hono, type MiddlewareHandler } from "hono";
import { AuthError, createAuth } from "tokenpair";
import { type AuthEnv, authRoutes, requireUser } from "tokenpair/hono";
import { createPasswords } from "tokenpair/passwords";
import { postgresStore } from "tokenpair/postgres";

const roles = ["reader", "editor"] as const;
const members = pgTable("members", {
  id: text().primaryKey(),
  username: text().notNull().unique(),
  hash: text().notNull(),
  role: text({ enum: roles }).notNull().default("reader"),
  isActive: boolean().notNull().default(true),
});
const store = postgresStore(process.env["DATABASE_URL"] ?? "");
await store.migrate();
const db = drizzle(process.env["DATABASE_URL"] ?? "");
await db.execute(sql`CREATE TABLE IF NOT EXISTS members (id TEXT PRIMARY KEY, username TEXT NOT NULL UNIQUE,
  hash TEXT NOT NULL, role TEXT NOT NULL DEFAULT 'reader', "isActive" BOOLEAN NOT NULL DEFAULT true)`);
const find = async (where: SQL) => (await db.select().from(members).where(where))[0];
const toName = (typed: string) => typed.trim().toLowerCase();

const passwords = createPasswords({ minLength: 15 });
const auth = createAuth({
  store,
  signingKey: process.env["SIGNING_KEY"] ?? "",
  findUser: (id) => find(eq(members.id, id)),
  verifyCredentials: async (username, password) => {
    const member = await find(eq(members.username, toName(username)));
    const { isCorrect, newHash } = await passwords.verify(member?.hash, password);
    if (member === undefined || !isCorrect) return null;
    const unchanged = and(eq(members.id, member.id), eq(members.hash, member.hash));
    if (newHash !== null) await db.update(members).set({ hash: newHash }).where(unchanged);
    return member;
  },
  claims: ({ role }) => ({ role }),
});
await auth.ready();

const app = new Hono<AuthEnv<typeof auth>>().use(authRoutes(auth));
app.post("/sign-up", async (c) => {
  const { username, password } = await c.req.json<Record<string, unknown>>();
  if (typeof username !== "string" || typeof password !== "string" || toName(username) === "") return c.json({}, 400);
  await passwords.check(password, { username });
  const row = { id: crypto.randomUUID(), username: toName(username), hash: await passwords.hash(password) };
  const added = await db.insert(members).values(row).onConflictDoNothing().returning({ id: members.id });
  return added.length > 0 ? c.json({}, 201) : c.json({ username: ["This username is taken."] }, 400);
});

const requireRole =
  (role: (typeof roles)[number]): MiddlewareHandler<AuthEnv<typeof auth>> =>
  async (c, next) => {
    if (c.get("auth").payload.role === role) return next();
    return c.json({ detail: `Only for the role ${role}.`, code: "permission_denied" }, 403);
  };
app.get("/drafts", requireUser(auth), requireRole("editor"), (c) => c.text("drafts"));

app.onError((error, c) => {
  if (!(error instanceof AuthError)) throw error;
  return error.code === "password_refused" ? c.json({ password: [error.reason] }, 400) : c.json({}, 503);
});
serve({ fetch: app.fetch, port: Number(process.env["PORT"] ?? 3000) }, (info) => console.log("listening", info));
