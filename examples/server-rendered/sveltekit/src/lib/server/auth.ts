import { createAuth, sharedAuth } from "tokenpair";
import { sqliteStore } from "tokenpair/sqlite";

export const getAuth = sharedAuth(async () => {
  const store = sqliteStore(process.env["DATABASE"] ?? "app.db");
  await store.migrate();
  const auth = createAuth({ store, signingKey: process.env["SIGNING_KEY"] ?? "" });
  await auth.ready();
  return auth;
});
