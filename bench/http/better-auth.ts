import { DatabaseSync } from "node:sqlite";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import type { Headers } from "./served.ts";

/** How many users take turns: few, as each has a password to hash. */
const users = 20;

/** better-auth over SQLite, and requests of users who have logged in. */
export async function startBetterAuth(cookieCache: boolean) {
  const options = {
    baseURL: "http://localhost:3000",
    secret: "a secret of this benchmark only, of 48 characters",
    database: new DatabaseSync(":memory:"),
    emailAndPassword: { enabled: true },
    session: { cookieCache: { enabled: cookieCache, maxAge: 86_400 } },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
  };
  await (await getMigrations(options)).runMigrations();
  const auth = betterAuth(options);
  const requests: Headers[] = [];
  for (let i = 0; i < users; i++) {
    const { headers } = await auth.api.signUpEmail({
      body: { name: "alice", email: `alice${i}@example.com`, password: "correct horse battery" },
      returnHeaders: true,
    });
    const cookies = headers.getSetCookie().map((cookie) => cookie.split(";", 1)[0]);
    requests.push({ cookie: cookies.join("; ") });
  }
  return { auth, requests };
}
