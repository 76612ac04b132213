import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Auth, type AuthOptions, createAuth } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { signingKey } from "../support/auth.ts";

export type NodeOptions = Partial<Omit<AuthOptions, "store">>;

/** One process's worth of tokenpair: an `Auth` over a store of its own. */
export interface AuthNode {
  readonly auth: Auth;
  close(): Promise<void>;
}

/** A ready node over a database, by default one of its own in memory. */
export async function startNode(options: NodeOptions = {}, path = ":memory:"): Promise<AuthNode> {
  const store = sqliteStore(path);
  await store.migrate();
  const auth = createAuth({ store, signingKey, ...options });
  await auth.ready();
  return {
    auth,
    close: async () => {
      await auth.close();
      await store.close();
    },
  };
}

/** Two nodes over one file. */
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

/** A new user's id. */
export async function addUser(auth: Auth, username = "ada"): Promise<string> {
  const user = await auth.users.create({ username });
  if (user === null) throw new Error(`${username} exists`);
  return user.id;
}

/** The headers of a request by bearer token. */
export const bearer = (access: string) => ({ authorization: `Bearer ${access}` });
