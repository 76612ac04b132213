/**
 * Your own users (in a database: see own-users/), your own claims, and a stream of server-sent events that ends with the session:
 * `npm run build && SIGNING_KEY=$(openssl rand -hex 48) npx node examples/own-users.ts`.
 */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
import { createAuth, minutes } from "tokenpair";
import { authRoutes, requireUser } from "tokenpair/hono";
import { createPasswords } from "tokenpair/passwords";
import { sqliteStore } from "tokenpair/sqlite";

interface Member {
  readonly id: string;
  readonly username: string;
  readonly isActive: boolean;
  readonly role: "reader" | "editor";
}

const passwords = createPasswords();
const hash = await passwords.hash("analytical engine");
const members = new Map<string, Member & { readonly hash: string }>([
  ["m-1", { id: "m-1", username: "ada", isActive: true, role: "editor", hash }],
]);

const store = sqliteStore("data/own-users.db");
await store.migrate();
const auth = createAuth({
  store,
  signingKey: process.env["SIGNING_KEY"] ?? "",
  accessTokenLifetime: minutes(5),
  verifyCredentials: async (username, password): Promise<Member | null> => {
    const member = [...members.values()].find((candidate) => candidate.username === username);
    const { isCorrect } = await passwords.verify(member?.hash, password);
    return isCorrect && member !== undefined ? member : null;
  },
  findUser: async (id): Promise<Member | null> => members.get(id) ?? null,
  claims: (member: Member) => ({ role: member.role }),
});
await auth.ready();

const app = new Hono();
app.use(authRoutes(auth));
app.get("/role", requireUser(auth), (c) => c.text(`${c.get("auth").payload.role}\n`));
app.get("/clock", requireUser(auth), (c) => {
  const signal = auth.signal(c.get("auth"), { signal: c.req.raw.signal });
  return streamSSE(c, async (stream) => {
    while (!signal.aborted) {
      await stream.writeSSE({ data: new Date().toISOString() });
      await stream.sleep(100);
    }
    await stream.writeSSE({ event: "end", data: String(signal.reason.code) });
  });
});
serve({ fetch: app.fetch, port: Number(process.env["PORT"] ?? 3000) }, (info) => console.log("listening", info));
