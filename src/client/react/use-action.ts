import { useCallback } from "react";
import type { Client } from "../client.ts";
import { useSource } from "./session-provider.ts";

/** How the server refuses an action: see `tokenpair/next`. */
const refused = "tokenpair: not authenticated";

/**
 * Returns a server action that refreshes the session if necessary, before it is sent. If the server refuses the action all the same
 * because no user is logged in, it refreshes and sends it once more: the server has not run it.
 *
 * @typeParam P The parameters of the action.
 * @typeParam R What the action returns.
 * @param action A server action that was made with `action` of `tokenpair/next`.
 * @param client A client of `createClient`. Default: the client of the `SessionProvider`.
 * @throws TypeError If there is neither a client nor a provider.
 * @example
 * function Rename({ rename }: { rename: (form: FormData) => Promise<void> }) {
 *   return (
 *     <form action={useAction(rename)}>
 *       <input name="name" />
 *     </form>
 *   );
 * }
 */
export function useAction<P extends unknown[], R>(
  action: (...args: P) => Promise<R>,
  client?: Client,
): (...args: P) => Promise<R> {
  const { client: source } = useSource(client);
  return useCallback(
    async (...args: P) => {
      // If there is a problem, the action itself fails with it.
      await source.ensure().catch(() => undefined);
      try {
        return await action(...args);
      } catch (error) {
        if (!isRefused(error)) throw error;
        await source.refresh();
        return action(...args);
      }
    },
    [action, source],
  );
}

/** In production, Next replaces the message of an error that an action throws, but not its digest. */
function isRefused(error: unknown): boolean {
  const { message, digest } = (error ?? {}) as { message?: unknown; digest?: unknown };
  return message === refused || digest === refused;
}
