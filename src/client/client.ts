import type { Countdown } from "./session/schedule.ts";
import type { SessionState } from "./session/session-state.ts";
import type { Credentials, LogoutScope } from "./transport/transport.ts";

/** The options that `createClient` and `createBearerClient` have in common. */
export interface BaseClientOptions {
  /**
   * The URL of the server, for example `"https://api.example.com"`. Default: the origin of the page. Required if there
   * is no page, as in a native app.
   */
  readonly baseUrl?: string;
  /** The server's `authPath` setting. Default: `"/api/auth"`. */
  readonly authPath?: string;
  /** A function that is used instead of the global `fetch`. */
  readonly fetch?: (input: string | Request, init?: RequestInit) => Promise<Response>;
  /**
   * How long a call to the server may take, in seconds. After that, it is aborted with the code `timeout`. A refresh isn't
   * aborted: it is tried again, and a response that arrives within six times this time still counts. The timeout doesn't
   * apply to `client.fetch`, which takes a `signal`. Default: 10.
   */
  readonly timeout?: number;
}

/** The passwords for `Client.changePassword`. */
export interface PasswordChange {
  /** The user's current password. */
  readonly currentPassword: string;
  /** The user's new password. */
  readonly newPassword: string;
}

/** The result of a logout. */
export interface LogoutResult {
  /**
   * Whether the server has revoked the sessions. Only the bearer client returns false. In that case, it revokes the session
   * as soon as it can, unless the server has no `blacklist/` endpoint.
   */
  readonly revoked: boolean;
}

/**
 * The client's side of a session: it logs the user in and out, refreshes the session in the background, and authenticates
 * requests. Its methods don't use `this`, so you can pass them as functions.
 *
 * @typeParam C What the server's `publicClaims` hook returns: the type of `user.claims`.
 */
export interface Client<C = unknown> {
  /**
   * Logs a user in and returns the new state. With cookies, the server also revokes an earlier session of this browser.
   *
   * @throws ClientError With code `no_active_account` if the name or the password is wrong, `second_factor_required` if
   * the server also asks for another factor, `throttled` after too many attempts, `invalid` if a field is missing,
   * `cookies_blocked` if the browser doesn't keep the cookies, or `offline`, `timeout` or `unavailable`.
   * @example
   * const state = await client.login({ username, password });
   * if (state.status === "authenticated") render(state.user.username);
   */
  login(credentials: Credentials): Promise<SessionState<C>>;
  /**
   * Logs the user out by revoking sessions. It returns when the server has revoked them.
   *
   * With bearer tokens and the scope `"local"`, the client deletes the tokens immediately. If it can't reach the server, it
   * returns `revoked: false` and revokes the session later, even after a restart of the app.
   *
   * With cookies, only the server can delete the tokens, so a logout without a network is impossible.
   *
   * @param scope `"local"` revokes this session, `"others"` revokes all other sessions of the user, and `"all"` revokes
   * both. Default: `"local"`.
   * @returns Whether the server has revoked the sessions.
   * @throws ClientError With code `offline`, `timeout`, `throttled` or `unavailable`. In these cases, the user is still
   * logged in. With status 404 if the server has no such endpoint: simplejwt has no endpoint for `"others"` and `"all"`.
   * With code `session_changed` if another user has logged in to this browser. In that case, nothing is revoked.
   * @example
   * await client.logout("all");
   */
  logout(scope?: LogoutScope): Promise<LogoutResult>;
  /**
   * Sends a request as the logged-in user. It takes the same arguments as `fetch`.
   *
   * Requests to the server are authenticated, and so are requests to the page's own origin if the client uses cookies. All
   * other requests are sent by a plain `fetch`. Relative URLs are resolved against `baseUrl`, or against the page if there
   * is no `baseUrl`. If the access token has expired, the client refreshes first. If tokenpair refuses the access token
   * with a 401, the client refreshes and sends the request once more. A 401 comes from tokenpair if it has a
   * `WWW-Authenticate: Bearer` header or one of tokenpair's codes. Any other 401 is returned unchanged.
   *
   * A request with a method other than GET, HEAD and OPTIONS is sent only if the session is still the one that the client
   * showed when you called this method. With cookies, such a request follows only redirects within the page's origin.
   *
   * @returns The response, with any status.
   * @throws ClientError With a `Problem` as its code, and with `status` and `retryAfter`, if the session couldn't be
   * refreshed. With code `session_changed` if the session in this browser has changed. With code `body_not_replayable` if
   * the request must be sent again but its body is a stream.
   * @throws TypeError If `fetch` itself throws one, for example because there is no network or because of a redirect to
   * another origin. If `signal` is aborted, the call immediately rejects with the signal's reason.
   * @example
   * const response = await client.fetch("/api/orders/", { method: "POST", body: JSON.stringify({ item: 1 }) });
   * if (response.ok) render(await response.json());
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /**
   * Returns the state as soon as the server has said whether a user is logged in. Call it in a router's loader before the first
   * page is shown. Afterwards it returns at once.
   *
   * @throws ClientError With a `Problem` as its code if the server can't be reached. The client continues to try.
   * @example
   * const { status } = await client.ready();
   * if (status === "anonymous") throw redirect("/login");
   */
  ready(): Promise<SessionState<C>>;
  /**
   * Makes sure that the access token can be used now, and returns the state. Call it before something that `client.fetch` can't
   * send: a WebSocket, an `EventSource`, an upload with `XMLHttpRequest`, a download, or a form. It refreshes only if the token
   * has expired: the client refreshes about a minute before that by itself.
   *
   * @throws ClientError With a `Problem` as its code if there is no usable access token and the session can't be refreshed.
   * @example
   * await client.ensure();
   * const socket = new WebSocket("/api/events/");
   */
  ensure(): Promise<SessionState<C>>;
  /**
   * Adopts a session that began without this client, for example by a login with another provider or by a form: asks the server
   * who is logged in now. It doesn't reject if the server can't be reached.
   *
   * @returns The new state. If the server couldn't be reached, the state's `problem` says why.
   * @example
   * const state = await client.reload();
   */
  reload(): Promise<SessionState<C>>;
  /**
   * Refreshes the session and the user's name now. You rarely need this, because the client refreshes in the background. If
   * the refresh fails, the promise doesn't reject. It rejects only because of a defect, for example in a function that you
   * passed.
   *
   * @returns The new state. If the refresh failed, the state's `problem` says why.
   * @example
   * const { status, problem } = await client.refresh();
   */
  refresh(): Promise<SessionState<C>>;
  /**
   * Returns the current state. It remains the same object until something changes.
   *
   * @example
   * const { status } = client.session();
   */
  session(): SessionState<C>;
  /**
   * Confirms the password of the logged-in user, for a request that the server refused with the code `confirmation_required`.
   * Send that request again afterwards.
   *
   * @throws ClientError With code `invalid` if the password is wrong, `throttled` after too many attempts, or
   * `session_changed` if another user has logged in to this browser. Otherwise `offline`, `timeout` or `unavailable`.
   * @example
   * await client.confirm(password);
   */
  confirm(password: string): Promise<void>;
  /**
   * Changes the password of the logged-in user and revokes the user's other sessions.
   *
   * If the response is lost, the client sends the request once more, with the same `Idempotency-Key`. If that response is
   * lost too, call this method again with the same passwords. The password is changed only once, even if the first request
   * had already succeeded.
   *
   * @throws ClientError With code `invalid` and `fields` if a password was rejected: `current_password` if it is wrong,
   * `new_password` if it is too weak. With code `session_changed` if another user has logged in to this browser.
   * Otherwise `offline`, `timeout`, `throttled` or `unavailable`.
   * @example
   * await client.changePassword({ currentPassword: password, newPassword: "correct horse battery staple" });
   */
  changePassword(passwords: PasswordChange): Promise<void>;
  /**
   * Returns how long the access token is valid and when the client will refresh it, or `undefined` if there is no access
   * token.
   *
   * @example
   * const countdown = client.countdown();
   * if (countdown) render(`Next refresh in ${Math.ceil(countdown.refreshIn)} s`);
   */
  countdown(): Countdown | undefined;
  /**
   * Calls `listener` with the new state after every change, in this tab or in another one.
   *
   * @returns A function that removes the listener.
   * @example
   * const stop = client.onChange((state) => render(state.status));
   * stop();
   */
  onChange(listener: (state: SessionState<C>) => void): () => void;
  /**
   * Stops all timers, listeners and messages of this client. Doesn't log the user out.
   *
   * @example
   * client.dispose();
   */
  dispose(): void;
}
