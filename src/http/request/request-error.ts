/** Error messages by field, in the order of the fields. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>;

/** Thrown for a malformed request, before any flow is called. It contains the status and the JSON body of the response. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  /** The HTTP status of the response. */
  readonly status: number;
  /** The JSON body of the response. */
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    super(`request refused with ${status}`);
    this.status = status;
    this.body = body;
  }
}

/** Returns an error for a 400 response with error messages by field. */
export const fieldErrors = (errors: FieldErrors): RequestError => new RequestError(400, errors);
