import type { Client } from "../client.ts";
import { loading } from "../session/session-state.ts";

/** Creates the client for environments without a page, such as server rendering. Its state is always `loading`. */
export function createIdleClient(): Client {
  const reject = () => Promise.reject(new TypeError("Call this in a browser: createClient needs a page."));
  return {
    login: reject,
    logout: reject,
    fetch: reject,
    refresh: reject,
    changePassword: reject,
    sessions: { list: reject, label: reject, revoke: reject },
    session: () => loading,
    countdown: () => undefined,
    onChange: () => () => undefined,
    dispose: () => undefined,
  };
}
