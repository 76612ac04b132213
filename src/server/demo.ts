import { randomBytes } from "node:crypto";
import type { Auth } from "../auth.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { Store } from "../core/store/index.ts";

/** The user for trying things out. Show the password once, keep it nowhere. */
export interface Demo {
  readonly username: string;
  readonly password: string;
}

/** Creates the user `demo` with a random password where there are no users yet; `null` where there are. */
export async function ensureDemoUser(
  users: Pick<Auth["users"], "create">,
  store: Store,
  { minPasswordLength }: Pick<Settings, "minPasswordLength">,
): Promise<Demo | null> {
  const [anybody] = await store.users.list({ limit: 1 });
  if (anybody !== undefined) return null;
  // Hexadecimal digits never happen to spell the username.
  const password = randomBytes(Math.max(12, Math.ceil(minPasswordLength / 2))).toString("hex");
  const demo = { username: "demo", password };
  return (await users.create(demo)) === null ? null : demo;
}
