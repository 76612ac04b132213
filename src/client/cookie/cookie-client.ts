import { assembleClient } from "../assemble-client.ts";
import type { Environment } from "../environment.ts";
import { createRecords, toNames } from "../session/records.ts";
import { createSessionState } from "../session/session-state.ts";
import { toUrls } from "../transport/transport.ts";
import type { ClientOptions, CookieClient } from "./client.ts";
import { createCookieTransport } from "./cookie-transport.ts";
import { createIdleClient } from "./idle-client.ts";

/** Creates the client that `createClient` returns, in a given environment. */
export function assembleCookieClient(env: Environment, options: ClientOptions): CookieClient {
  const { page } = env;
  if (!page) return createIdleClient();
  const { timeout = 10, csrfCookie = "__Host-csrftoken", csrfHeader = "X-CSRFToken" } = options;
  const urls = toUrls(options, page);
  const name = `tokenpair cookie ${urls.auth}`;
  const records = createRecords(env, env.storage, toNames(name));
  const parts = { page, urls, name, records, timeout, csrfCookie, csrfHeader, state: createSessionState() };
  const { client, transport, requests } = assembleClient({ ...parts, env }, (env) =>
    createCookieTransport({ ...parts, env }),
  );
  return {
    ...client,
    csrfToken: () => requests.once(() => client.ensure().then(transport.csrfToken)),
  };
}
