import { randomBytes } from "node:crypto";
import type { Auth } from "../../auth.ts";
import { AuthError } from "../../core/errors.ts";
import type { Settings } from "../../core/settings/settings.ts";

/** The credentials of the demo user. Show the password once, and never store it. */
export interface Demo {
  readonly username: string;
  readonly password: string;
}

/**
 * Creates the user `demo` with a random password if there are no users.
 *
 * @returns the credentials, or `null` if there already are users.
 */
export async function ensureDemoUser(
  users: Pick<Auth["users"], "create" | "list">,
  { minPasswordLength }: Pick<Settings, "minPasswordLength">,
): Promise<Demo | null> {
  const [firstUser] = await users.list({ limit: 1 });
  if (firstUser !== undefined) return null;
  // Hexadecimal digits can't spell the username, which a password must not contain.
  const password = randomBytes(Math.max(12, Math.ceil(minPasswordLength / 2))).toString("hex");
  const demo = { username: "demo", password };
  try {
    await users.create(demo);
    return demo;
  } catch (error) {
    // Another process that was started with --demo came first.
    if (error instanceof AuthError && error.code === "username_taken") return null;
    throw error;
  }
}
