import { randomBytes } from "node:crypto";
import type { Auth } from "../auth.ts";
import type { Store } from "../core/store.ts";

/** The user for trying things out. Show the password once, keep it nowhere. */
export interface Demo {
  readonly username: string;
  readonly password: string;
}

/** Creates the user `demo` with a random password where there are no users yet; `null` where there are. */
export async function ensureDemoUser(users: Pick<Auth["users"], "create">, store: Store): Promise<Demo | null> {
  const [anybody] = await store.users.list({ limit: 1 });
  if (anybody !== undefined) return null;
  const demo = { username: "demo", password: randomBytes(12).toString("base64url") };
  return (await users.create(demo)) === null ? null : demo;
}
