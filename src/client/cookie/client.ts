import type { BaseClientOptions, Client } from "../client.ts";
import type { SessionState } from "../session/session-state.ts";
import type { Credentials, LoginContinuation } from "../transport/transport.ts";

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

/** The client of a page whose tokens are in cookies. */
export interface CookieClient<C = unknown> extends Client<C> {
  /**
   * Logs a user in and returns the new state. The server revokes an earlier session of this browser.
   *
   * If the server asks for a second factor, the call rejects with the code `second_factor_required`. Call `login` again then,
   * with the `ticket` in the error's `body` and what your server expects.
   *
   * @throws ClientError See `Client.login`. With a ticket, also `second_factor_invalid` if the factor is wrong, or
   * `ticket_invalid` if the user must begin again with the password.
   * @example
   * const ticket = await client.login({ username, password }).then(
   *   () => undefined,
   *   (error) => String(error.body.ticket),
   * );
   * if (ticket) await client.login({ ticket, code: "123456" });
   */
  login(credentials: Credentials | LoginContinuation): Promise<SessionState<C>>;
  /**
   * Returns the CSRF token of the session that the client shows. Send it in the header `X-CSRFToken` with requests that
   * `client.fetch` can't send, such as an upload with `XMLHttpRequest`, or in the field `csrfmiddlewaretoken` of a form.
   *
   * @throws ClientError With code `session_changed` if this browser has another session now, `cookies_blocked`, `offline`,
   * `timeout` or `unavailable`.
   * @example
   * upload.setRequestHeader("X-CSRFToken", await client.csrfToken());
   */
  csrfToken(): Promise<string>;
}
