import type { Client } from "./client.ts";
import { loading } from "./session-state.ts";

/** The client where there is no page, as in server rendering: `loading` for ever, and every call is refused. */
export function createIdleClient(): Client {
  const refuse = () => Promise.reject(new TypeError("Cookies need a page."));
  return {
    login: refuse,
    logout: refuse,
    fetch: refuse,
    refresh: refuse,
    changePassword: refuse,
    sessions: { list: refuse, label: refuse, end: refuse },
    session: () => loading,
    countdown: () => undefined,
    onChange: () => () => undefined,
    dispose: () => undefined,
  };
}
