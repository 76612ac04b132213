import type { Schedule, Timer } from "../../core/runtime/schedule.ts";
import { unrefSchedule } from "../../core/runtime/schedule.ts";
import { standardHeaders } from "./json.ts";

/** An event of a stream (WHATWG HTML §9.2, "Server-sent events"). */
export interface StreamEvent {
  /** The event's type. Letters only. */
  readonly event: string;
  /** The position after this event, which the browser sends as `Last-Event-ID` when it connects again. */
  readonly id?: string;
  /** Sent as JSON. */
  readonly data: unknown;
}

/** A stream of events to one client. */
export interface EventStream {
  /** The response to send. */
  readonly response: Response;
  /** Sends an event. Does nothing after the end. A client that doesn't read is disconnected. */
  send(event: StreamEvent): void;
  /** Sends a last event, if there is one, and ends the stream. */
  end(event?: StreamEvent): void;
}

/** The options of `createEventStream`. */
export interface EventStreamOptions {
  /** Called once, when the stream has ended for any reason. */
  readonly onEnd: () => void;
  readonly schedule?: Schedule;
}

/** How often a comment is sent, so that proxies keep the connection, in milliseconds. */
const heartbeat = 15_000;

/** How many bytes may wait for a client. */
const maxWaiting = 256 * 1024;

const encoder = new TextEncoder();

/** Opens a stream of server-sent events. */
export function createEventStream({ onEnd, schedule = unrefSchedule }: EventStreamOptions): EventStream {
  let hasEnded = false;
  let timer: Timer | undefined;
  let controller: ReadableStreamDefaultController<Uint8Array>;

  function finish(): void {
    if (hasEnded) return;
    hasEnded = true;
    timer?.cancel();
    onEnd();
  }

  function write(text: string): void {
    if (hasEnded) return;
    if ((controller.desiredSize ?? 0) < -maxWaiting) {
      controller.error(new Error("the client of an event stream doesn't read"));
      finish();
    } else controller.enqueue(encoder.encode(text));
  }

  function beat(): void {
    write(":\n\n");
    if (!hasEnded) timer = schedule(beat, heartbeat);
  }

  const readable = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
      },
      cancel: finish,
    },
    { highWaterMark: 0, size: (chunk) => chunk?.byteLength ?? 0 },
  );
  // At once, so that the client knows that the stream is open.
  beat();
  return {
    response: new Response(readable, {
      headers: {
        ...standardHeaders,
        "Content-Type": "text/event-stream; charset=utf-8",
        // nginx would hold events back.
        "X-Accel-Buffering": "no",
      },
    }),
    send: (event) => write(toText(event)),
    end(event) {
      if (hasEnded) return;
      if (event !== undefined) write(toText(event));
      if (hasEnded) return;
      controller.close();
      finish();
    },
  };
}

function toText({ event, id, data }: StreamEvent): string {
  return `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
