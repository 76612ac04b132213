import { ClientError } from "../client-error.ts";
import { type Environment, toTimerDelay } from "../environment.ts";

/** A JSON object whose members haven't been checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Calls `fetch` with the credentials. */
export type Send = (
  input: string | Request,
  init?: RequestInit,
  /** Replaces the environment's `fetch`. */
  fetch?: Environment["fetch"],
) => Promise<Response>;

/** Sends JSON to `path` and returns the JSON object of the response, or an empty object if there is none. */
export type JsonCall = (method: string, path: string, body?: unknown, idempotencyKey?: string) => Promise<JsonObject>;

/**
 * Creates a function for calls below the URL `root`. `send` sends them, and each must be answered within `timeout`
 * seconds. Every call throws a `ClientError` unless the response is a 2xx. Only a failure of `fetch` counts as
 * `offline`: other errors are defects, and are thrown as they are.
 */
export function createJsonCall(env: Environment, timeout: number, root: string, send: Send): JsonCall {
  return async (method, path, body, idempotencyKey) => {
    const headers = {
      ...(body !== undefined && { "Content-Type": "application/json" }),
      ...(idempotencyKey && { "Idempotency-Key": idempotencyKey }),
    };
    const { signal, stop } = createTimeout(env, timeout * 1000);
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
  const { code, detail, ...rest } = json;
  const messages = Object.entries(rest).filter((entry): entry is [string, string[]] => Array.isArray(entry[1]));
  const fields = code === undefined && messages[0] ? Object.fromEntries(messages) : undefined;
  throw new ClientError(
    String(code ?? (fields ? "invalid" : "unavailable")),
    String(detail ?? messages[0]?.[1][0] ?? `The server responded with status ${status}.`),
    {
      status,
      fields,
      body: rest,
      sessionEnded: headers.get("Session-Ended") === "true",
      // Some proxies send a date. It is ignored.
      retryAfter: Number(headers.get("Retry-After")) || undefined,
    },
  );
}

/** Returns the code of an error response, which can still be read afterwards. */
export async function readCode(response: Response): Promise<unknown> {
  return parseJsonObject(await response.clone().text())["code"];
}

/** Returns the object in `json`, or an empty object. */
export function parseJsonObject(json: string): JsonObject {
  try {
    return toJsonObject(JSON.parse(json));
  } catch {
    return {};
  }
}

/** Returns `value` if it is an object, or an empty object. */
export function toJsonObject(value: unknown): JsonObject {
  return typeof value === "object" && value !== null ? (value as JsonObject) : {};
}

/** Returns a signal that is aborted after `delay` milliseconds unless `stop` is called. Its reason is `timeout`. */
export function createTimeout(env: Environment, delay: number) {
  const abort = new AbortController();
  const timer = env.setTimeout(
    () => abort.abort(new ClientError("timeout", "The server did not respond in time.")),
    toTimerDelay(delay),
  );
  return { signal: abort.signal, stop: () => env.clearTimeout(timer) };
}
