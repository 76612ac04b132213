import type { Clock } from "../core/runtime/clock.ts";
import {
  type FeedReaders,
  frameType,
  type PolledFrame,
  type ReaderRequest,
  toReadableFrame,
} from "../flows/feed-readers.ts";
import { fieldErrors } from "./request/request-error.ts";
import { toJsonResponse } from "./response/json.ts";

/*
 * The requests of readers of the revocation feed. The page docs/verifier/README.md specifies them. A process that reads the feed
 * itself serves it onward with the same functions.
 */

/** What answers readers. */
export interface FeedRequestDeps {
  readonly readers: Pick<FeedReaders, "poll" | "stream" | "acknowledge">;
  readonly clock: Pick<Clock, "monotonic">;
  /** The longest lease that a reader may have, in milliseconds. */
  readonly longestLease: number;
}

/** What the query of a reader asks for. */
interface FeedQuery extends Omit<ReaderRequest, "arrivedAt"> {
  readonly isStream: boolean;
  /** Milliseconds. */
  readonly wait: number;
}

/** The longest wait of a poll, in seconds. */
export const longestWait = 25;

/** The leases that a reader may have, in milliseconds. Each server allows only some of them: its `longestLease`. */
export const leases = Object.freeze({ shortest: 250, default: 10_000, longest: 3_600_000 });

/** The names that readers may give themselves. */
export const readerPattern = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Answers a reader: with a frame, with frames without end, or with JSON.
 *
 * @param signal ends the request. A poll then throws its reason.
 * @throws RequestError 400 if the query can't be understood; AuthError `unavailable`, `throttled`.
 */
export async function answerFeedRequest(
  { readers, clock, longestLease }: FeedRequestDeps,
  { url, headers, signal: gone }: Request,
  signal?: AbortSignal,
): Promise<Response> {
  const arrivedAt = clock.monotonic();
  const { isStream, wait, ...query } = parseQuery(new URL(url).searchParams, longestLease);
  const request = { ...query, arrivedAt };
  if (isStream) return new Response(await readers.stream(request, signal), { headers: frameHeaders });
  const frame = await pollUntilGone(readers, request, { wait, gone, signal });
  if (frame === null) return new Response(null, { status: clientGone });
  if (acceptsJson(headers)) return toJsonResponse(200, toReadableFrame(frame));
  return new Response(toBody(frame.parts), {
    headers: { ...frameHeaders, "Content-Length": String(frame.length) },
  });
}

/** Returns a body of parts that are shared with other responses. They are neither copied nor joined: a full frame is long. */
function toBody(parts: readonly Uint8Array[]): ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> {
  const [only, ...others] = parts;
  if (others.length === 0) return only as Uint8Array<ArrayBuffer>;
  const pieces = parts.values();
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const { value, done } = pieces.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * Notes what a reader has applied.
 *
 * @throws RequestError 400 if the query names no reader or no cursor.
 */
export function answerFeedAcknowledgement(
  { readers }: Pick<FeedRequestDeps, "readers">,
  { url }: Pick<Request, "url">,
): Response {
  const query = new URL(url).searchParams;
  const { reader, after } = parseQuery(query);
  if (reader === undefined || after === undefined) {
    const missing = ["reader", "after"].filter((name) => !query.has(name));
    throw fieldErrors(Object.fromEntries(missing.map((name) => [name, ["This parameter is required."]])));
  }
  readers.acknowledge(reader, after);
  return new Response(null, { status: 204 });
}

/** The status in the log of a request whose client has gone: nginx's. No client gets it. */
const clientGone = 499;

/** Returns a frame; `null` if the client has gone. */
async function pollUntilGone(
  readers: Pick<FeedReaders, "poll">,
  request: ReaderRequest,
  {
    wait,
    gone,
    signal,
  }: { readonly wait: number; readonly gone: AbortSignal; readonly signal: AbortSignal | undefined },
): Promise<PolledFrame | null> {
  try {
    return await withSignals([gone, signal], (ended) => readers.poll(request, { wait, signal: ended }));
  } catch (error) {
    if (gone.aborted) return null;
    throw error;
  }
}

const frameHeaders = {
  "Content-Type": frameType,
  // For nginx: it would hold frames back.
  "X-Accel-Buffering": "no",
};

/** A wrong cursor gets everything. Anything else that is wrong would let the reader rely on what it doesn't get. */
function parseQuery(query: URLSearchParams, longestLease: number = leases.longest): FeedQuery {
  const faults: Record<string, string[]> = {};
  const read = (name: string, fault: string, isValid: (text: string) => boolean, missing?: string) => {
    const text = query.get(name) ?? missing;
    if (text === undefined) return undefined;
    if (!isValid(text)) faults[name] = [fault];
    return text;
  };
  const stream = read("stream", "Must be 0 or 1.", (text) => text === "0" || text === "1");
  const wait = read(
    "wait",
    `Must be a number of seconds from 0 to ${longestWait}.`,
    (text) => /^\d{1,2}(?:\.\d{1,6})?$/.test(text) && Number(text) <= longestWait,
  );
  const lease = read(
    "lease",
    `Must be a whole number of milliseconds from ${leases.shortest} to ${longestLease}.`,
    (text) => /^\d{1,7}$/.test(text) && Number(text) >= leases.shortest && Number(text) <= longestLease,
    String(leases.default),
  );
  const reader = read("reader", "Must be 1 to 64 of the characters A–Z, a–z, 0–9, - and _.", (text) =>
    readerPattern.test(text),
  );
  if (Object.keys(faults).length > 0) throw fieldErrors(faults);
  return {
    isStream: stream === "1",
    wait: Number(wait ?? 0) * 1000,
    lease: Number(lease),
    reader,
    after: query.get("after") ?? undefined,
  };
}

function acceptsJson(headers: Headers): boolean {
  const accepted = (headers.get("Accept") ?? "")
    .split(",")
    .map((range) => range.split(";", 1)[0]?.trim().toLowerCase());
  return accepted.includes("application/json");
}

/** Calls `act` with a signal that aborts with any of `signals`. `AbortSignal.any` would stay with a signal that lasts for hours. */
async function withSignals<T>(
  signals: readonly (AbortSignal | undefined)[],
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const listeners = signals
    .filter((signal) => signal !== undefined)
    .map((signal) => {
      const abort = () => controller.abort(signal.reason);
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
      return () => signal.removeEventListener("abort", abort);
    });
  try {
    return await act(controller.signal);
  } finally {
    for (const remove of listeners) remove();
  }
}
