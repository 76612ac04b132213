import { type Client, type ClientOptions, createClientIn } from "./client.ts";
import { toEnvironment } from "./environment.ts";

export type { Client, ClientOptions } from "./client.ts";
export { ClientError, type ClientErrorDetails } from "./client-error.ts";
export type { KeyValueStorage } from "./environment.ts";
export type { Countdown } from "./schedule.ts";
export type { EndReason, Problem, SessionState, User } from "./session-state.ts";
export type { SessionInfo, UserSessions } from "./user-sessions.ts";
export type { Credentials, LogoutScope } from "./wire.ts";

/**
 * The browser's side of a session: logs in and out, keeps the session alive, and tells what it is. Make one per server
 * and keep it. Safe to import and to call where there is no page.
 *
 * @throws TypeError for bearer mode without a storage, and where there is neither a page nor a `baseUrl`.
 * @example
 * const client = createClient();
 * client.onChange(({ status, user }) => render(status, user));
 * await client.login({ username, password });
 * const orders = await (await client.fetch("/api/orders/")).json();
 */
export function createClient(options: ClientOptions = {}): Client {
  return createClientIn(toEnvironment(options.fetch), options);
}
