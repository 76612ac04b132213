import { ClientError } from "../client-error.ts";

/** Returns the arguments of `fetch` with headers that can be changed. Call it again for every attempt. */
export function toRequest(input: string | Request, init: RequestInit | undefined) {
  const request = (input as Partial<Request>).clone?.();
  return {
    input: request ?? input,
    headers: new Headers(init?.headers ?? request?.headers),
  };
}

/** Returns the origin that a request is sent to. */
export function toOrigin(input: string | Request): string {
  return new URL((input as Partial<Request>).url ?? String(input)).origin;
}

/** Returns whether the request can change something: every method counts except GET, HEAD and OPTIONS. */
export function isUnsafe(input: string | Request, init: RequestInit | undefined): boolean {
  return !/^(get|head|options)$/i.test(init?.method ?? (input as Partial<Request>).method ?? "GET");
}

/**
 * Throws unless the body can be sent again.
 *
 * @throws ClientError `body_not_replayable` if the body is a stream, which the first attempt has consumed.
 */
export function requireReplayable(init: RequestInit | undefined): void {
  if ((init?.body as Partial<ReadableStream> | undefined)?.getReader) {
    throw new ClientError("body_not_replayable", "A stream can't be sent twice.");
  }
}

/** Settles like `promise`, or rejects with the signal's reason as soon as the signal is aborted. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
