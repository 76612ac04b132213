import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import type { Deps } from "../deps.ts";

/** Who acts for a session's user; `null`: the user. */
export type Actor = Session["actor"];

/** Returns who sent a request, with the actor of the session that it belongs to, unless the request has one of its own. */
export function withActor(client: ClientInfo, actor: Actor): ClientInfo {
  return actor === null || client.actor !== undefined ? client : { ...client, actor };
}

/**
 * Requires that the user acts in a session, and not an actor for the user. A session's actor never changes.
 *
 * @throws AuthError `impersonated` if an actor acts for the user.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function requireNoActor({ store }: Pick<Deps, "store">, sessionId: string): Promise<void> {
  const found = await store.sessions.find(sessionId);
  if (found !== null && found.session.actor !== null) throw impersonated();
}

/** Returns the refusal of what only the user may do. */
export function impersonated(): AuthError {
  return new AuthError("impersonated", "an actor can't do this for the user");
}
