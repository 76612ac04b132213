import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { type Auth, type AuthOptions, createAuth } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { signingKey } from "../support/auth.ts";

export type NodeOptions = Partial<Omit<AuthOptions, "store">>;

/** An `Auth` over a store of its own, as one process of an application has it. */
export interface AuthNode {
  readonly auth: Auth;
  close(): Promise<void>;
}

/** Starts a ready node over a database, by default one in memory. Hashing a password takes next to no time. */
export async function startNode(options: NodeOptions = {}, path = ":memory:"): Promise<AuthNode> {
  const store = sqliteStore(path);
  await store.migrate();
  const auth = createAuth({ store, signingKey, passwordMemoryCost: 8, ...options });
  await auth.ready();
  return {
    auth,
    close: async () => {
      await auth.close();
      await store.close();
    },
  };
}

/** Starts two nodes over one file. */
export async function startTwoNodes(): Promise<{ readonly nodes: readonly [Auth, Auth]; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "tokenpair-"));
  const path = join(folder, "tokenpair.db");
  const [one, two] = [await startNode({}, path), await startNode({}, path)];
  return {
    nodes: [one.auth, two.auth],
    close: async () => {
      await Promise.all([one.close(), two.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Creates a user without a password, and returns the id. */
export async function addUser(auth: Auth, username = "ada"): Promise<string> {
  return (await auth.users.create({ username })).id;
}

/** Returns a request with a bearer token. */
export const bearer = (access: string) => ({ headers: { authorization: `Bearer ${access}` } });

/** Matches an `AuthError` with this code. */
export const refused = (code: string) => expect.objectContaining({ name: "AuthError", code });
