import { type Internals, internals } from "../internals.ts";
import { loading } from "../session/session-state.ts";
import type { CookieClient } from "./client.ts";

/** Creates the client for environments without a page, such as server rendering. Its state is always `loading`. */
export function createIdleClient(): CookieClient & { readonly [internals]: Internals } {
  const reject = async () => {
    throw new TypeError("Call this in a browser.");
  };
  return {
    login: reject,
    logout: reject,
    fetch: reject,
    ready: reject,
    ensure: reject,
    reload: reject,
    refresh: reject,
    confirm: reject,
    csrfToken: reject,
    changePassword: reject,
    [internals]: { call: reject },
    session: () => loading,
    countdown: () => undefined,
    onChange: () => () => undefined,
    dispose: () => undefined,
  };
}
