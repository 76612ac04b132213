import { createAuth } from "tokenpair";
import { pages, sharedAuth } from "tokenpair/next";
import { sqliteStore } from "tokenpair/sqlite";

/** Counts the instances of this process: there must be one. */
const counter = globalThis as { instances?: number };

export const getAuth = sharedAuth(async () => {
  counter.instances = (counter.instances ?? 0) + 1;
  const store = sqliteStore(process.env["DATABASE"] ?? "app.db");
  await store.migrate();
  const auth = createAuth({
    store,
    signingKey: process.env["SIGNING_KEY"] ?? "",
    publicClaims: (user) => ({ initial: user.username.slice(0, 1) }),
  });
  await auth.ready();
  return auth;
});

export const { currentUser, requireUser, initialSession } = pages(getAuth, { loginPath: "/login" });

/** Returns how many instances of tokenpair this process has. */
export const countInstances = () => counter.instances ?? 0;

declare module "tokenpair" {
  interface Register {
    auth: Awaited<ReturnType<typeof getAuth>>;
  }
}
