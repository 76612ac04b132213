import { ClientError } from "../client-error.ts";
import type { Environment } from "../environment.ts";

/** A JSON object whose members haven't been checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Sends JSON to `path` and returns the JSON object of the response, or an empty object if there is none. */
export type JsonCall = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<JsonObject>;

/**
 * Creates a function for calls below the URL `root`. `send` sends them, and each must be answered within `timeout`
 * seconds. Every call throws a `ClientError` unless the response is a 2xx.
 */
export function createJsonCall(env: Environment, timeout: number, root: string, send: Environment["fetch"]): JsonCall {
  return async (method, path, body, headers = {}) => {
    const content = body !== undefined && {
      headers: { ...headers, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    };
    const { signal, stop } = createTimeout(env, timeout * 1000);
    try {
      return await readResponse(await send(`${root}/${path}`, { method, headers, ...content, signal }));
    } catch (cause) {
      if (cause instanceof ClientError) throw cause;
      throw signal.aborted
        ? new ClientError("timeout", "The server did not respond in time.", { cause })
        : new ClientError("offline", "Could not reach the server.", { cause });
    } finally {
      stop();
    }
  };
}

async function readResponse(response: Response): Promise<JsonObject> {
  const json = parseJsonObject(await response.text());
  if (response.ok) return json;
  const { status } = response;
  const { code, detail, ...rest } = json;
  const messages = Object.entries(rest).filter((entry): entry is [string, string[]] => Array.isArray(entry[1]));
  const fields = code === undefined && messages[0] ? Object.fromEntries(messages) : undefined;
  throw new ClientError(
    String(code ?? (fields ? "invalid" : "unavailable")),
    String(detail ?? messages[0]?.[1][0] ?? `The server responded with status ${status}.`),
    {
      status,
      fields,
      // Some proxies send a date. It is ignored.
      retryAfter: Number(response.headers.get("Retry-After")) || undefined,
    },
  );
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

/** Returns the error for a response that isn't one of tokenpair's, for example a proxy's page. Worth a retry. */
export function unexpectedResponse(): ClientError {
  return new ClientError("unavailable", "The server sent an unexpected response.");
}

/** Returns the arguments of `fetch` with headers that can be changed. Call it again for every attempt. */
export function toRequest(input: string | Request, init: RequestInit | undefined) {
  const request = typeof input === "string" ? undefined : input.clone();
  return {
    input: request ?? input,
    method: (init?.method ?? request?.method ?? "GET").toUpperCase(),
    headers: new Headers(init?.headers ?? request?.headers),
  };
}

/**
 * Requires a body that can be sent again.
 *
 * @throws ClientError `body_not_replayable` if the body is a stream, which the first attempt has consumed.
 */
export function requireReplayable(init: RequestInit | undefined): void {
  if ("getReader" in toJsonObject(init?.body)) {
    throw new ClientError("body_not_replayable", "The body is a stream and can't be sent twice. Repeat the request.");
  }
}

/** Returns a signal that is aborted after `delay` milliseconds unless `stop` is called. */
export function createTimeout(env: Environment, delay: number) {
  const abort = new AbortController();
  const timer = env.setTimeout(() => abort.abort(), delay);
  return { signal: abort.signal, stop: () => env.clearTimeout(timer) };
}
