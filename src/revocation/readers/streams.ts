import type { Frame, ReaderPosition } from "./frames.ts";

/** A stream of frames to one reader. */
export interface FrameStream {
  /** What the reader gets. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Whether the reader has taken everything that was sent to it, and waits for more. */
  readonly isWaiting: boolean;
  /** How far the reader gets with what was sent to it. */
  readonly position: ReaderPosition;
  /** When the last frame was made, and since when the reader has taken nothing: milliseconds on the monotonic clock. */
  readonly madeAt: number;
  readonly takenAt: number;
  /** Sends a frame. Only while the stream is waiting. */
  send(frame: Frame): void;
  /** Ends the stream: at once if it is waiting; otherwise with an error, because the reader may never take what was sent. */
  close(): void;
}

/** The options of `openFrameStream`. */
export interface FrameStreamOptions {
  readonly position: ReaderPosition;
  /** Milliseconds on the monotonic clock. */
  readonly now: () => number;
  /** Called when the stream has begun to wait. */
  readonly onWaiting: (stream: FrameStream) => void;
  /** Called once, when the stream has ended. */
  readonly onEnd: (stream: FrameStream) => void;
}

/** How many bytes of a long frame are handed over at once, to distinguish a slow reader from one that reads nothing. */
const pieceLength = 65_536;

/** Opens a stream. Nothing is queued in it: it asks for a frame when the reader wants one. */
export function openFrameStream(options: FrameStreamOptions): FrameStream {
  const { now, onWaiting, onEnd } = options;
  let { position } = options;
  let isWaiting = false;
  let hasEnded = false;
  let takenAt = now();
  let madeAt = takenAt;
  /** What is left of the last frame. It is shared with other streams. */
  let rest: Uint8Array | null = null;
  let controller: ReadableStreamDefaultController<Uint8Array>;

  function end(): void {
    if (hasEnded) return;
    hasEnded = true;
    isWaiting = false;
    rest = null;
    onEnd(stream);
  }

  function sendPiece(bytes: Uint8Array): void {
    rest = bytes.length > pieceLength ? bytes.subarray(pieceLength) : null;
    controller.enqueue(bytes.subarray(0, pieceLength));
  }

  const readable = new ReadableStream<Uint8Array>(
    {
      start(given) {
        controller = given;
      },
      pull() {
        takenAt = now();
        if (rest !== null) return sendPiece(rest);
        isWaiting = true;
        onWaiting(stream);
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );

  const stream: FrameStream = {
    readable,
    get isWaiting() {
      return isWaiting;
    },
    get position() {
      return position;
    },
    get madeAt() {
      return madeAt;
    },
    get takenAt() {
      return takenAt;
    },
    send(frame) {
      isWaiting = false;
      position = frame.to;
      madeAt = frame.madeAt;
      rest = frame.body.length > 0 ? frame.body : null;
      controller.enqueue(frame.head);
    },
    close() {
      if (hasEnded) return;
      if (isWaiting) controller.close();
      else controller.error(createStallError());
      end();
    },
  };
  return stream;
}

/** Its stack would say nothing about the reader, and the HTTP server prints it. */
function createStallError(): Error {
  const error = new Error("a reader of the revocation feed has not taken what was sent to it");
  error.stack = `${error}`;
  return error;
}
