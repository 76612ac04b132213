import { ClientError } from "./client-error.ts";
import type { Environment } from "./environment.ts";

/** A JSON object that the server answered; empty where it answered nothing of the kind. */
export type Answer = Readonly<Record<string, unknown>>;

/** A call of the client's own: JSON to `path` and back. */
export type Call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

/**
 * Calls below the URL `root`, each sent by `send` and answered within `timeout` seconds.
 *
 * @throws ClientError from every call, on anything but a 2xx; `offline` or `timeout` where no answer arrived.
 */
export function createCall(env: Environment, timeout: number, root: string, send: Environment["fetch"]): Call {
  return async (method, path, body, headers = {}) => {
    const content = body !== undefined && {
      headers: { ...headers, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    };
    const { signal, stop } = createTimeout(env, timeout * 1000);
    try {
      return await readAnswer(await send(`${root}/${path}`, { method, headers, ...content, signal }));
    } catch (cause) {
      if (cause instanceof ClientError) throw cause;
      throw signal.aborted
        ? new ClientError("timeout", "The server did not answer in time.", { cause })
        : new ClientError("offline", "The server could not be reached.", { cause });
    } finally {
      stop();
    }
  };
}

async function readAnswer(response: Response): Promise<Answer> {
  const answer = parseAnswer(await response.text());
  if (response.ok) return answer;
  const { status } = response;
  const { code, detail, ...rest } = answer;
  const messages = Object.entries(rest).filter((entry): entry is [string, string[]] => Array.isArray(entry[1]));
  const fields = code === undefined && messages[0] ? Object.fromEntries(messages) : undefined;
  throw new ClientError(
    String(code ?? (fields ? "invalid" : "unavailable")),
    String(detail ?? messages[0]?.[1][0] ?? status),
    {
      status,
      fields,
      // A date, as some proxies send, counts as none.
      retryAfter: Number(response.headers.get("Retry-After")) || undefined,
    },
  );
}

/** The object in `json`, or an empty one. */
export function parseAnswer(json: string): Answer {
  try {
    return toAnswer(JSON.parse(json));
  } catch {
    return {};
  }
}

/** `value` where it is an object, or an empty one. */
export function toAnswer(value: unknown): Answer {
  return typeof value === "object" && value !== null ? (value as Answer) : {};
}

/** An answer that tokenpair does not give: a proxy's page, for one. Temporary, like every answer of that kind. */
export function unexpected(): ClientError {
  return new ClientError("unavailable", "The answer is not tokenpair's.");
}

/** The request as `fetch` takes it, with headers that may be added to; made anew for every sending. */
export function toRequest(input: string | Request, init: RequestInit | undefined) {
  const request = typeof input === "string" ? undefined : input.clone();
  return {
    input: request ?? input,
    method: (init?.method ?? request?.method ?? "GET").toUpperCase(),
    headers: new Headers(init?.headers ?? request?.headers),
  };
}

/**
 * Passes where the body can be sent a second time.
 *
 * @throws ClientError `body_not_replayable` where it is a stream, which the first sending has used up.
 */
export function requireReplayable(init: RequestInit | undefined): void {
  if ("getReader" in toAnswer(init?.body)) {
    throw new ClientError("body_not_replayable", "A stream cannot be sent twice: make the request again.");
  }
}

/** Aborts `signal` after `delay` milliseconds, unless it is stopped. */
export function createTimeout(env: Environment, delay: number) {
  const abort = new AbortController();
  const timer = env.setTimeout(() => abort.abort(), delay);
  return { signal: abort.signal, stop: () => env.clearTimeout(timer) };
}
