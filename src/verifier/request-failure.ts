/** Why a request to the issuer failed. Its message holds neither the credential nor anything that the other side has sent. */
export class RequestFailure extends Error {
  override readonly name = "RequestFailure";

  /** How long the issuer asks to wait before the next request, in milliseconds (RFC 9110, section 10.2.3). */
  readonly retryAfter: number;

  constructor(message: string, retryAfter = 0) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/** The longest time that a verifier waits because it is asked to, in milliseconds. A proxy may ask for minutes while tokens are refused. */
const longestRetryAfter = 10_000;

/** Returns the milliseconds that a response asks to wait, or 0. A date counts as 0, because no clocks are compared. */
export function readRetryAfter({ headers }: Pick<Response, "headers">): number {
  const value = headers.get("Retry-After") ?? "";
  return /^\d{1,9}$/.test(value) ? Math.min(Number(value) * 1_000, longestRetryAfter) : 0;
}

/** Converts whatever a request throws. The messages of `fetch` aren't used: they may quote a header. */
export function toFailure(error: unknown): RequestFailure {
  if (error instanceof RequestFailure) return error;
  if (!(error instanceof Error)) return new RequestFailure("the request failed");
  if (error.name === "AbortError" || error.name === "TimeoutError") return new RequestFailure("the issuer was silent");
  const { code } = (error.cause ?? error) as { readonly code?: unknown };
  const isPlain = typeof code === "string" && /^[A-Z][A-Z0-9_]+$/.test(code);
  return new RequestFailure(isPlain ? `the issuer can't be reached (${code})` : "the issuer can't be reached");
}
