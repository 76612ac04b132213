import type { AnyAuth } from "../../auth.ts";

/** Creates the other node: a second `createAuth` on the same store, as in another process. */
export type CreateNode = () => AnyAuth;

/** The other node of the demonstration. It is created when a page needs it first. */
export interface OtherNode {
  /** Returns the node when it is ready. */
  get(): Promise<AnyAuth>;
  /** Disables a user for some seconds. */
  disable(userId: string): Promise<void>;
  /** Enables the users again, and closes the node. */
  close(): Promise<void>;
}

/** For how long a user is disabled, in milliseconds. */
export const disabledFor = 10_000;

/** Who the audit log says did it. */
const client = { actor: "demonstration" };

/** Creates the holder of the other node. */
export function createOtherNode(create: CreateNode): OtherNode {
  let node: Promise<AnyAuth> | undefined;
  const disabled = new Map<string, NodeJS.Timeout>();

  async function start(): Promise<AnyAuth> {
    const auth = create();
    await auth.ready();
    return auth;
  }

  function get(): Promise<AnyAuth> {
    node ??= start();
    return node;
  }

  async function enable(userId: string): Promise<void> {
    clearTimeout(disabled.get(userId));
    disabled.delete(userId);
    await (await get()).users.enable(userId, { client });
  }

  return {
    get,
    async disable(userId) {
      await (await get()).users.disable(userId, { client });
      clearTimeout(disabled.get(userId));
      disabled.set(
        userId,
        setTimeout(() => enable(userId).catch(() => {}), disabledFor),
      );
    },
    async close() {
      if (node === undefined) return;
      await Promise.allSettled([...disabled.keys()].map(enable));
      await (await node).close();
    },
  };
}
