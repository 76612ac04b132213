/** Why a request to the issuer failed. Its message holds neither the credential nor anything that the other side has sent. */
export class RequestFailure extends Error {
  override readonly name = "RequestFailure";
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
