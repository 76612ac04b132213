import { ClientError, type ClientErrorDetails } from "../client-error.ts";
import { type Environment, probe, toTimerDelay } from "../environment.ts";

/** A JSON object whose members haven't been checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Calls `fetch` with the credentials. */
export type Send = (
  input: string | Request,
  init?: RequestInit,
  /** A function that is used instead of the environment's `fetch`. */
  fetch?: Environment["fetch"],
) => Promise<Response>;

/** How a call differs from the others of its `JsonCall`. */
export interface CallOptions {
  /** The idempotency key. */
  readonly key?: string | undefined;
  /** Seconds. */
  readonly timeout?: number;
  readonly send?: Send;
  /** Ends the call as if it had taken too long. */
  readonly signal?: AbortSignal;
}

/** Sends JSON to `path` and returns the JSON object of the response, or an empty object if there is none. */
export type JsonCall = (method: string, path: string, body?: object, options?: CallOptions) => Promise<JsonObject>;

/**
 * Creates a function for calls below the URL `root`. Each call must be answered in time. The function throws a `ClientError`
 * unless the response is a 2xx. Only a failure of `fetch` counts as `offline`. Other errors are defects and are thrown
 * unchanged.
 */
export function createJsonCall(
  env: Environment,
  root: string,
  defaults: Required<Pick<CallOptions, "timeout" | "send">>,
): JsonCall {
  return async (method, path, body, options) => {
    const { key, timeout, send, signal: interruption } = { ...defaults, ...options };
    const headers = {
      ...(body && { "Content-Type": "application/json" }),
      ...(key && { "Idempotency-Key": key }),
    };
    const { signal, stop } = createTimeout(env, timeout, interruption);
    const toFailure = (cause: unknown): never => {
      if (signal.aborted) throw signal.reason;
      throw new ClientError("offline", "Could not reach the server.", { cause });
    };
    try {
      const init = { method, headers, body: JSON.stringify(body), signal };
      const response = await send(`${root}/${path}`, init, (...request) => env.fetch(...request).catch(toFailure));
      return toJson(response, await response.text().catch(toFailure));
    } finally {
      stop();
    }
  };
}

function toJson({ headers, ok, status }: Response, text: string): JsonObject {
  const json = parseJsonObject(text);
  if (ok) return json;
  const { code, detail, ...body } = json;
  const [messages] = Object.values(body);
  const isInvalid = code === undefined && Array.isArray(messages);
  throw new ClientError(
    String(code ?? (isInvalid ? "invalid" : "unavailable")),
    (detail ?? (isInvalid ? messages[0] : `The server responded with status ${status}.`)) as string,
    {
      status,
      body,
      ...(isInvalid && { fields: body as ClientErrorDetails["fields"] }),
      sessionEnded: headers.get("Session-Ended") === "true",
      // Some proxies send a date. It is ignored.
      retryAfter: Number(headers.get("Retry-After")) || undefined,
    },
  );
}

/** Returns the code of an error response. The response can still be read afterwards. */
export async function readCode(response: Response): Promise<unknown> {
  return parseJsonObject(await response.clone().text())["code"];
}

/** Returns the object in `json`, or an empty object if there is none. */
export function parseJsonObject(json: string | null): JsonObject {
  return toJsonObject(probe(() => JSON.parse(json as string)));
}

/** Returns `value` if it is an object, or else an empty object. */
export function toJsonObject(value: unknown): JsonObject {
  return value instanceof Object ? (value as JsonObject) : {};
}

/**
 * Returns a signal that is aborted after `delay` seconds unless `stop` is called, or when `interruption` is aborted. The
 * reason of the signal is `timeout`.
 */
export function createTimeout(env: Environment, delay: number, interruption?: AbortSignal) {
  const abort = new AbortController();
  const expire = () => abort.abort(new ClientError("timeout", "The server did not respond in time."));
  const timer = env.setTimeout(expire, toTimerDelay(delay * 1000));
  interruption?.addEventListener("abort", expire);
  return { signal: abort.signal, stop: () => env.clearTimeout(timer) };
}
