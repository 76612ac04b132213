import { type FrameHeader, headerLength, isFrameStart, readHeader, recordLength } from "../revocation/readers/frame.ts";
import { RequestFailure } from "./request-failure.ts";

/** A complete frame of the feed. */
export interface ParsedFrame {
  readonly header: FrameHeader;
  /** The records, 16 bytes each. */
  readonly records: Uint8Array;
}

/** Cuts a stream of bytes into frames, wherever the network has cut it. */
export interface FrameParser {
  /**
   * Takes the next bytes.
   *
   * @returns the frames that are complete now, oldest first.
   * @throws RequestFailure if the bytes aren't a frame. The parser can't be used any more then.
   */
  push(chunk: Uint8Array): readonly ParsedFrame[];
  /** Whether a frame has begun that isn't complete. */
  readonly isWithinFrame: boolean;
}

/** Creates a parser at the beginning of a frame. What a sender claims to send takes no memory before it has come. */
export function createFrameParser(): FrameParser {
  const chunks: Uint8Array[] = [];
  let held = 0;
  let header: FrameHeader | null = null;

  const toMissing = () => (header === null ? headerLength : header.count * recordLength) - held;

  /** Returns all bytes that are held, without a copy if they came as one. */
  function take(): Uint8Array {
    const [first = new Uint8Array(), ...more] = chunks.splice(0);
    if (more.length === 0) {
      held = 0;
      return first;
    }
    const bytes = new Uint8Array(held);
    let at = 0;
    for (const chunk of [first, ...more]) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    held = 0;
    return bytes;
  }

  return {
    push(chunk) {
      const frames: ParsedFrame[] = [];
      let rest = chunk;
      for (;;) {
        const part = rest.subarray(0, toMissing());
        if (header === null && held === 0 && !isFrameStart(part)) throw noFrame();
        if (part.length > 0) chunks.push(part);
        held += part.length;
        rest = rest.subarray(part.length);
        if (toMissing() > 0) return frames;
        const bytes = take();
        if (header === null) {
          header = readHeader(bytes);
          if (header === null) throw noFrame();
        } else {
          frames.push({ header, records: bytes });
          header = null;
        }
      }
    },
    get isWithinFrame() {
      return header !== null || held > 0;
    },
  };
}

const noFrame = () => new RequestFailure("the feed sent something other than frames");
