/** What a refusal says beside its code. */
export interface ClientErrorDetails {
  /** HTTP status; 0 where there was no answer. */
  readonly status?: number;
  /** Seconds to wait before the next try. */
  readonly retryAfter?: number | undefined;
  /** Messages by field, where the server refused fields of the input. */
  readonly fields?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly cause?: unknown;
}

/**
 * The one error of the client. `code` is the server's (`no_active_account`, `throttled`, …), or one of the client's own:
 * `offline`, `timeout`, `unavailable` (an answer that is not tokenpair's, or none to work with), `invalid` (see `fields`),
 * `body_not_replayable`. The message is the server's `detail`, made to be shown. Never holds a token or password.
 */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: string;
  readonly status: number;
  readonly retryAfter: number | undefined;
  readonly fields: Readonly<Record<string, readonly string[]>> | undefined;

  constructor(code: string, message: string, details: ClientErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.status = details.status ?? 0;
    this.retryAfter = details.retryAfter;
    this.fields = details.fields;
  }
}

/** Whether the server itself, and not something on the way, refused what was presented. */
export function isRefusal(error: unknown): error is ClientError {
  return error instanceof ClientError && error.status === 401 && error.code !== "unavailable";
}
