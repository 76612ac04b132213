/** The authentication of these examples: `SIGNING_KEY=$(openssl rand -hex 48) node websocket.ts`. Its database has a user `alice` with the password below. */
import { AuthError, createAuth } from "tokenpair";
import { sqliteStore } from "tokenpair/sqlite";

const store = sqliteStore("data/realtime.db");
await store.migrate();
export const auth = createAuth({
  store,
  signingKey: process.env["SIGNING_KEY"] ?? "",
});
await auth.ready();

try {
  await auth.users.create({ username: "alice", password: "correct horse battery staple" });
} catch (error) {
  if (!(error instanceof AuthError) || error.code !== "username_taken") throw error;
}
