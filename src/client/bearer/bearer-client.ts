import { assembleClient } from "../assemble-client.ts";
import type { BaseClientOptions, Client } from "../client.ts";
import { type Environment, type KeyValueStorage, probe } from "../environment.ts";
import { createSessionState, type SessionState } from "../session/session-state.ts";
import { type Credentials, type LoginContinuation, type TokenPair, toUrls } from "../transport/transport.ts";
import { createBearerTransport } from "./bearer-transport.ts";
import { createTokenRecords } from "./token-records.ts";

/** The options of `createBearerClient`. */
export interface BearerClientOptions extends BaseClientOptions {
  /**
   * The storage for the client's tokens. Use the best protected storage of the device, for example its keychain: anyone who
   * can read the tokens can act as the user.
   *
   * The keys consist of letters, digits, `.`, `-` and `_`, and a value has at most 2,000 bytes, so you can use Expo's
   * SecureStore. If a method throws or rejects during a login, `login` rejects with the code `storage_failed`. If that
   * happens later, the state has the `problem` `storage_failed`, and the session lasts only until the app ends.
   */
  readonly storage: KeyValueStorage;
  /** The server's `tokenPath` setting. Default: `"/api/token"`. */
  readonly tokenPath?: string;
  /**
   * Which response to a refresh logs the user out. `"header"`: a response with the header `Session-Ended: true`, which
   * tokenpair has sent since version 0.2. `"401"`: every 401, for a server that never sends this header. Default:
   * `"header"`.
   */
  readonly sessionEndsOn?: "header" | "401";
}

/** A client that keeps its tokens in the application's storage. */
export interface BearerClient<C = unknown> extends Client<C> {
  /**
   * Logs a user in and returns the new state.
   *
   * If the server asks for a second factor, the call rejects with the code `second_factor_required`. Call `login` again then,
   * with the `ticket` in the error's `body` and what your server expects.
   *
   * With the tokens of a login that a route of your server has answered, for example a login with another provider, it sends
   * nothing and adopts the session.
   *
   * @throws ClientError See `Client.login`. With code `storage_failed` if the storage doesn't work. With a ticket, also
   * `second_factor_invalid` if the factor is wrong, or `ticket_invalid` if the user must begin again with the password.
   * @example
   * const ticket = await client.login({ username, password }).then(
   *   () => undefined,
   *   (error) => String(error.body.ticket),
   * );
   * if (ticket) await client.login({ ticket, code: "123456" });
   * @example
   * const response = await client.fetch("/api/login-by-link/", { method: "POST", body: JSON.stringify({ link }) });
   * await client.login(await response.json());
   */
  login(credentials: Credentials | LoginContinuation | TokenPair): Promise<SessionState<C>>;
  /**
   * Returns an access token that can be used now, for connections that `client.fetch` can't open, such as a WebSocket. It
   * refreshes only if the token has expired. Get it again for every connection.
   *
   * @returns The token, or `undefined` if no user is logged in.
   * @throws ClientError With a `Problem` as its code if the session can't be refreshed.
   * @example
   * const token = await client.accessToken();
   */
  accessToken(): Promise<string | undefined>;
}

/** Creates the client that `createBearerClient` returns, in a given environment. */
export function assembleBearerClient(env: Environment, options: BearerClientOptions): BearerClient {
  requireAll(env, options);
  const { storage, timeout = 10, tokenPath = "/api/token", sessionEndsOn } = options;
  const urls = toUrls(options, env.page);
  const name = `tokenpair bearer ${urls.auth}`;
  const state = createSessionState(() => records.failure() && storageFailed);
  const records = createTokenRecords(env, storage, name, () => {
    if ((state.get().problem ?? storageFailed) === storageFailed) state.report();
  });
  const parts = { urls, name, records, timeout, state, tokenPath, endsOn401: sessionEndsOn === "401" };
  const { client, transport, refresher } = assembleClient({ ...parts, env }, (env) =>
    createBearerTransport({ ...parts, env }),
  );
  return {
    ...client,
    async accessToken() {
      const { user } = await client.ensure();
      const access = (await records.read())?.access;
      if (access || !user) return access;
      // It was too large for the storage, so only the tab that received it has it.
      await client.refresh();
      return (await records.read())?.access;
    },
    async logout(scope = "local") {
      if (scope !== "local") return client.logout(scope);
      // A refresh that is running would delay the logout.
      refresher.stop();
      await client.logout();
      return { revoked: await transport.revoker.flush() };
    },
    dispose() {
      client.dispose();
      transport.revoker.dispose();
    },
  };
}

/**
 * Checks that the client has what it needs.
 *
 * @throws TypeError If it hasn't. The message says what is missing.
 */
function requireAll(env: Environment, { storage, baseUrl }: BearerClientOptions): void {
  const require = (isThere: unknown, what: string) => {
    if (!isThere) throw new TypeError(`${what} is missing. See docs/origins.md.`);
  };
  require(storage, "storage");
  require(baseUrl !== undefined || env.page, "baseUrl");
  require(probe(
    () => env.randomBytes(1) && new URL("http://a").origin && !atob(""),
  ), "crypto.getRandomValues, URL or atob");
}

const storageFailed = "storage_failed";
