/**
 * A client of the server for a page of the same origin:
 *
 *   const trpc = createTrpc(createClient());
 *   await trpc.publish.mutate();
 *   trpc.clock.subscribe(undefined, { onData: show, onError: showLogin });
 */
import { createTRPCClient, httpLink, httpSubscriptionLink, splitLink } from "@trpc/client";
import type { Client } from "tokenpair/client";
import type { AppRouter } from "./server.ts";

/** Returns a client of tRPC that sends its requests as the user who is logged in with `session`. */
export function createTrpc(session: Pick<Client, "fetch" | "ensure">, origin = "") {
  const url = `${origin}/trpc`;
  return createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === "subscription",
        // Called before each connection: the cookie of an EventSource must be valid.
        true: httpSubscriptionLink({ url: () => session.ensure().then(() => url) }),
        // No batches: if one procedure of a batch refuses the access token and another one doesn't, the status is 207, and the
        // client doesn't refresh.
        false: httpLink({ url, fetch: (input, init) => session.fetch(input, init as RequestInit) }),
      }),
    ],
  });
}
