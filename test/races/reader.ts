import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../src/core/runtime/clock.ts";
import { createLease, type Instant, toInstant } from "../../src/revocation/lease.ts";
import {
  type FrameHeader,
  headerLength,
  readHeader,
  readRecord,
  recordLength,
  toFingerprint,
} from "../../src/revocation/readers/frame.ts";
import type { FeedReaders } from "../../src/revocation/readers/readers.ts";

/** The connection between a node and its reader, which a test can break. */
export interface ReaderWire {
  /** Loses everything. */
  isCut: boolean;
  /** Holds everything back, until it is set to false. */
  isHeld: boolean;
  /** Delays everything by this many milliseconds. */
  delay: number;
}

/**
 * A stand-in for a service without a database that verifies access tokens: it reads the revocations from a node, by streams and polls
 * in turn, as docs/verifier/README.md says.
 */
export interface Reader {
  readonly wire: ReaderWire;
  /** Judges an access token. Its signature isn't verified, because the test's tokens are genuine. */
  readonly ask: (access: string) => "ok" | "refused" | "unknown";
  /** How many tokens it has accepted. */
  readonly accepted: number;
  readonly stop: () => Promise<void>;
}

/** What a reader needs. */
export interface ReaderOptions {
  /** Seconds. */
  readonly maxStaleness: number;
  /** The name under which it acknowledges. */
  readonly name: string;
}

/** How many frames of a stream are read before the reader turns to a poll. */
const framesPerStream = 40;

/** Starts a reader. */
export function startReader(readers: FeedReaders, { maxStaleness, name }: ReaderOptions): Reader {
  const wire: ReaderWire = { isCut: false, isHeld: false, delay: 0 };
  const held = new Map<bigint, number>();
  const lease = createLease(systemClock, maxStaleness);
  let cursor: string | undefined;
  let freshAt = Number.NEGATIVE_INFINITY;
  let isStopped = false;
  let accepted = 0;

  async function pass(): Promise<void> {
    if (wire.delay > 0) await sleep(wire.delay);
    while (wire.isHeld && !isStopped) await sleep(2);
    if (wire.isCut || isStopped) throw new Error("the wire is cut");
  }

  /** Sends a request. */
  async function request() {
    const start = toInstant(systemClock);
    await pass();
    const arrivedAt = systemClock.monotonic();
    return { start, request: { after: cursor, lease: maxStaleness * 1_000, reader: name, arrivedAt } };
  }

  async function poll(): Promise<void> {
    const { start, request: poll } = await request();
    const { parts } = await readers.poll(poll, { wait: (maxStaleness * 1_000) / 3 });
    const frame = Buffer.concat(parts);
    await pass();
    apply(frame, toFreshness(start)(frame));
  }

  async function stream(): Promise<void> {
    const { start, request: streamed } = await request();
    const stream = await readers.stream(streamed);
    const measure = toFreshness(start);
    let bytes: Uint8Array = new Uint8Array();
    let frames = 0;
    for await (const piece of stream) {
      await pass();
      bytes = Buffer.concat([bytes, piece]);
      for (let length = toLength(bytes); length <= bytes.length; length = toLength(bytes)) {
        const frame = bytes.slice(0, length);
        bytes = bytes.slice(length);
        const isAwaited = apply(frame, measure(frame));
        if (isAwaited) void acknowledge();
        frames += 1;
      }
      if (frames >= framesPerStream) return;
    }
  }

  async function acknowledge(): Promise<void> {
    const applied = cursor ?? "";
    await pass().then(
      () => readers.acknowledge(name, applied),
      () => {},
    );
  }

  /** Applies a frame. @returns whether somebody waits for an acknowledgement. */
  function apply(frame: Uint8Array, fresh: Instant): boolean {
    const header = readHeader(frame) as FrameHeader;
    const view = new DataView(frame.buffer, frame.byteOffset);
    if (header.isFull) held.clear();
    for (let index = 0; index < header.count; index++) {
      const { fingerprint, value } = readRecord(view, headerLength + index * recordLength);
      held.set(fingerprint, Math.max(value, held.get(fingerprint) ?? 0));
    }
    cursor = header.cursor;
    if (fresh.monotonic > freshAt) {
      freshAt = fresh.monotonic;
      lease.extend(fresh);
    }
    return header.isAwaited;
  }

  async function run(): Promise<void> {
    for (let turn = 0; !isStopped; turn++) {
      await (turn % 2 === 0 ? stream() : poll()).catch(() => sleep(5));
    }
  }

  const toValue = (...subject: Parameters<typeof toFingerprint>) => held.get(toFingerprint(...subject)) ?? 0;

  function isRevoked({ sid, jti, ge, ue, user_id }: Claims): boolean {
    const epoch = toValue("u", user_id);
    if (toValue("s", sid) > 0 || toValue("t", jti) > 0 || toValue("a", "") > (ge ?? 0)) return true;
    return epoch > ue && toValue("x", sid) < epoch;
  }

  const running = run();
  return {
    wire,
    ask(access) {
      if (!lease.holds()) return "unknown";
      if (isRevoked(toClaims(access))) return "refused";
      accepted += 1;
      return "ok";
    },
    get accepted() {
      return accepted;
    },
    async stop() {
      isStopped = true;
      readers.stop();
      await running;
    },
  };
}

/** Returns the length of the frame with which the bytes begin. */
function toLength(bytes: Uint8Array): number {
  const header = readHeader(bytes);
  return header === null ? Number.POSITIVE_INFINITY : headerLength + header.count * recordLength;
}

/** Returns the function that measures up to which time the frames of one request have everything. */
function toFreshness(start: Instant): (frame: Uint8Array) => Instant {
  let first: FrameHeader | undefined;
  return (frame) => {
    const header = readHeader(frame) as FrameHeader;
    first ??= header;
    const passed = first.held + (header.madeAt - first.madeAt) - header.age;
    return { monotonic: start.monotonic + passed, wall: start.wall + passed };
  };
}

/** The claims of a token that say what revokes it. */
interface Claims {
  readonly sid: string;
  readonly jti: string;
  readonly ue: number;
  readonly ge?: number;
  readonly user_id: string;
}

function toClaims(access: string): Claims {
  return JSON.parse(Buffer.from(access.split(".")[1] ?? "", "base64url").toString());
}
