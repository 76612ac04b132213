/** Messages by field, in the order of the fields. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>;

/** A malformed request, refused before any flow. Holds the status and the JSON body of the response. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  /** The HTTP status. */
  readonly status: number;
  /** The JSON body. */
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    super(`request refused with ${status}`);
    this.status = status;
    this.body = body;
  }
}

/** Returns a 400 with messages by field. */
export const fieldErrors = (errors: FieldErrors): RequestError => new RequestError(400, errors);
