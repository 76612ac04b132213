/** What is wrong with each field, in the order of the fields. */
export type FieldErrors = Readonly<Record<string, readonly string[]>>;

/** A refusal of the request's form, before any flow: the status and the JSON that the client gets. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    super(`request refused with ${status}`);
    this.status = status;
    this.body = body;
  }
}

/** A 400 that says what is wrong with which field. */
export const fieldErrors = (errors: FieldErrors): RequestError => new RequestError(400, errors);
