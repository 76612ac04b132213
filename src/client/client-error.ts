/** The optional parts of a {@link ClientError}. */
export interface ClientErrorDetails {
  /** The HTTP status of the response, or 0 if there was no response. Default: 0. */
  readonly status?: number;
  /** The number of seconds to wait before the next attempt, from the `Retry-After` header. */
  readonly retryAfter?: number | undefined;
  /** Error messages by field name, if the server rejected fields of the input. */
  readonly fields?: Readonly<Record<string, readonly string[]>> | undefined;
  /** The other members of the server's JSON response. Default: none. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** Whether the server has proved that the session has ended. Default: false. */
  readonly sessionEnded?: boolean;
  /** The error that caused this one, for example the `TypeError` that `fetch` threw. */
  readonly cause?: unknown;
}

/**
 * The error that every method of the client rejects with. Its message is the server's `detail` and can be shown to the
 * user. It never contains a token or a password.
 *
 * `code` is the server's code (`no_active_account`, `throttled`, …) or one of the client's own codes:
 *
 * - `offline`: there was no response.
 * - `timeout`: there was no response within the `timeout` option.
 * - `unavailable`: the response didn't come from tokenpair, or the server can't process requests at the moment.
 * - `invalid`: the server rejected fields of the input; see `fields`.
 * - `second_factor_required`: the password was right, and the server wants a second factor. `body` has the `ticket` for
 *   `Client.login` and the `methods`.
 * - `confirmation_required`: the user must confirm the password first; see `Client.confirm`.
 * - `body_not_replayable`: the request must be sent again, but its body is a stream that has been consumed.
 * - `session_changed`: the session in this browser is no longer the one that the client showed, so the request wasn't
 *   sent. The state has changed; see `Client.session`.
 * - `cookies_blocked`: the browser doesn't keep the server's cookies.
 * - `storage_failed`: the `storage` of the bearer client failed. `cause` is its error.
 * - `refused`: the server refused to refresh the session, but didn't prove that the session has ended.
 *
 * @example
 * try {
 *   await client.login({ username, password });
 * } catch (error) {
 *   if (!(error instanceof ClientError)) throw error;
 *   render(error.code === "throttled" ? `Try again in ${error.retryAfter} seconds.` : error.message);
 * }
 */
export class ClientError extends Error {
  /** Always `"ClientError"`. */
  override readonly name = "ClientError";
  /** What went wrong, as a stable string for programs. */
  declare readonly code: string;
  /** The HTTP status of the response, or 0 if there was no response. */
  readonly status: number = 0;
  /** The number of seconds to wait before the next attempt, if the server said so. */
  declare readonly retryAfter: number | undefined;
  /** Error messages by field name, if the server rejected fields of the input. */
  declare readonly fields: Readonly<Record<string, readonly string[]>> | undefined;
  /** The other members of the server's JSON response, which depend on the code. Empty if there are none. */
  readonly body: Readonly<Record<string, unknown>> = {};
  /** Whether the server has proved that the session has ended, with the header `Session-Ended: true`. */
  readonly sessionEnded: boolean = false;

  /**
   * Creates an error. Applications usually don't create one.
   *
   * @param code What went wrong, as a stable string for programs.
   * @param message What went wrong, as a sentence that can be shown to the user.
   * @param details The status and the other optional parts.
   */
  constructor(code: string, message: string, details: ClientErrorDetails = {}) {
    super(message);
    Object.assign(this, details, { code });
  }
}

/** Returns whether tokenpair refused the token. A 401 from a proxy has no `code` and doesn't count. */
export function isUnauthorized(error: unknown): error is ClientError {
  return error instanceof ClientError && error.status === 401 && error.code !== "unavailable";
}

/** Returns the error for a refresh without a session. */
export function notAuthenticated(): ClientError {
  return new ClientError("not_authenticated", "No session.", { status: 401, sessionEnded: true });
}

/** Returns the error for a request that was meant for a session other than the current one of this browser. */
export function sessionChanged(): ClientError {
  return new ClientError("session_changed", "The session has changed. Try again.");
}

/** Returns whether `error` means that a request wasn't sent, because the session in this browser has changed. */
export function isSessionChanged(error: unknown): boolean {
  return (error as Partial<ClientError> | undefined)?.code === "session_changed";
}

/**
 * Returns the error for a response that didn't come from tokenpair, such as an error page of a proxy. The request may be
 * retried.
 */
export function unexpectedResponse(): ClientError {
  return new ClientError("unavailable", "The server sent an unexpected response.");
}
