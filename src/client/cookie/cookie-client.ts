import { assembleClient } from "../assemble-client.ts";
import type { BaseClientOptions, Client } from "../client.ts";
import type { Environment } from "../environment.ts";
import { createRecords } from "../session/records.ts";
import { createSessionState } from "../session/session-state.ts";
import { toEndpoints } from "../transport/transport.ts";
import { createCookieTransport } from "./cookie-transport.ts";
import { createIdleClient } from "./idle-client.ts";

/** The options of `createClient`. None of them is needed in a page that the server itself serves. */
export interface ClientOptions extends BaseClientOptions {
  /**
   * The name of the CSRF cookie, if the server's `csrfCookieName` setting was changed. The name without its prefix also
   * counts, because the server omits the prefix without https. Default: `"__Host-csrftoken"`.
   */
  readonly csrfCookie?: string;
  /** The server's `csrfHeaderName` setting. Default: `"X-CSRFToken"`. */
  readonly csrfHeader?: string;
}

/** Creates the client that `createClient` returns, in a given environment. */
export function assembleCookieClient(env: Environment, options: ClientOptions): Client {
  const { page } = env;
  if (!page) return createIdleClient();
  const { timeout = 10, csrfCookie = "__Host-csrftoken", csrfHeader = "X-CSRFToken" } = options;
  // Without https, the server leaves the prefix out. A Set, because a name may have none.
  const cookieNames = [...new Set([csrfCookie, csrfCookie.replace(/^__\w+?-/, "")])];
  const endpoints = toEndpoints(options, page);
  const name = `tokenpair cookie ${endpoints.auth}`;
  const records = createRecords(env, env.storage, name);
  return assembleClient({
    ...{ env, endpoints, name, records, timeout, state: createSessionState() },
    createTransport: (env, getShownId) =>
      createCookieTransport({ env, page, endpoints, timeout, cookieNames, csrfHeader, getShownId }),
  });
}
