import { createHash } from "node:crypto";
import type { Clock } from "../../core/runtime/clock.ts";
import { createLoop } from "../../core/runtime/loop.ts";
import type { Schedule } from "../../core/runtime/schedule.ts";
import { createFeedTable, createFrameParser, type ParsedFrame, toFullFrame } from "../../verifier/frames.ts";
import { createReplacedFile } from "./replaced-file.ts";

/*
 * A file with every revocation, for programs that can't hold them in memory between requests. The page docs/verifier/README.md
 * specifies it. The file is one more reader of the relay: it has every confirmed revocation, or it is too old.
 */

/** Keeps a file up to date. */
export interface FrameFile {
  /** Why the file couldn't be written the last time, such as "ENOSPC"; `null` if it could. */
  readonly failure: string | null;
  /** How often the file was replaced since the start. */
  readonly writes: number;
  /** When every revocation was in the file the last time, in milliseconds since the epoch; `null` before the first write. */
  readonly completeAt: number | null;
  /** Stops. The file stays as it is, and its readers see that it gets too old. */
  stop(): Promise<void>;
}

/** The options of `startFrameFile`. */
export interface FrameFileOptions {
  readonly path: string;
  /** Serves the feed. */
  readonly feed: (request: Request) => Promise<Response>;
  /** The path of the feed. */
  readonly feedPath: string;
  /** A credential that the feed accepts. */
  readonly credential: string;
  /** The file's name as a reader. */
  readonly reader: string;
  /** For how long its readers rely on the file, in milliseconds. */
  readonly lease: number;
  readonly clock: Clock;
  readonly schedule: Schedule;
  /** Called when the file can't be written, and when it can again (`null`). */
  readonly onFailure: (failure: string | null) => void;
}

/** Milliseconds before the feed is read again after it has ended. */
const retryDelay = 200;

/** After a write, the next one waits so many times as long as it took, so that it takes a quarter of the time at most. */
const rest = { factor: 3, longest: 500 };

/** What has been read, and isn't in the file. */
interface News {
  /** Whether the records in the file aren't all. */
  isChanged: boolean;
  /** The last frame for which a confirmation waits; `null` if there is none. */
  awaited: string | null;
}

/** Begins to keep a file up to date. */
export function startFrameFile(options: FrameFileOptions): FrameFile {
  const { path, feed, feedPath, credential, reader, lease, clock, schedule, onFailure } = options;
  const file = createReplacedFile(path);
  const keysFile = createReplacedFile(`${path}.jwks.json`);
  const table = createFeedTable();
  const news: News = { isChanged: true, awaited: null };
  const state = { failure: null as string | null, writes: 0, completeAt: null as number | null };
  /** The last frame, and up to when it has everything: on the wall clock, and on the monotonic clock. */
  let last: { readonly frame: ParsedFrame; readonly completeAt: number; readonly time: number } | null = null;
  /** The version of the keys in their file, and that in the header of the file. */
  let keyVersion: number | null = null;
  let wait = 0;
  let stream: ReadableStreamDefaultReader<Uint8Array> | null = null;
  let isStopped = false;
  const reading = createLoop({ step: read, onError: () => retryDelay, schedule });
  const writing = createLoop({ step: write, onError: fail, schedule });

  function send(method: string, query: Readonly<Record<string, string>>): Promise<Response> {
    const url = `http://localhost${feedPath}/?${new URLSearchParams({ ...query, reader })}`;
    return feed(new Request(url, { method, headers: { Authorization: `Bearer ${credential}` } }));
  }

  /**
   * Reads the feed until it ends, which it does every few minutes. Always from the beginning: which records no token needs any
   * more, only the sender knows, whose clock may have been set.
   *
   * @returns the milliseconds until it is read again.
   */
  async function read(): Promise<number> {
    const { status, body } = await send("GET", { stream: "1", lease: String(lease) });
    if (status !== 200 || body === null || isStopped) {
      await body?.cancel();
      return retryDelay;
    }
    stream = body.getReader();
    const parser = createFrameParser();
    for (;;) {
      const { value, done } = await stream.read();
      if (done) return retryDelay;
      for (const frame of parser.push(value)) take(frame);
    }
  }

  function take(frame: ParsedFrame): void {
    const { isFull, isAwaited, count, cursor, age, madeAt } = frame.header;
    // The frame was made in this process: both clocks are the same.
    const completeAt = clock.wall() - (clock.monotonic() - madeAt) - age;
    const time = madeAt - age;
    table.apply(frame, { replaces: isFull && time >= (last?.time ?? 0) });
    last = { frame, completeAt, time };
    news.isChanged ||= isFull || count > 0;
    if (isAwaited) news.awaited = cursor;
    writing.wake(isAwaited ? 0 : wait);
  }

  async function write(): Promise<null> {
    if (last === null) return null;
    const { frame, completeAt } = last;
    const { awaited } = news;
    const isChanged = news.isChanged || frame.header.keyVersion !== keyVersion;
    Object.assign(news, { isChanged: false, awaited: null });
    try {
      const hasKeys = frame.header.keyVersion === keyVersion && (await keysFile.touch(completeAt));
      if (!hasKeys) await writeKeys(completeAt);
      if (isChanged || !(await file.touch(completeAt))) await writeFrame(frame, completeAt);
    } catch (error) {
      news.isChanged ||= isChanged;
      news.awaited ??= awaited;
      throw error;
    }
    state.completeAt = completeAt;
    report(null);
    if (awaited !== null) await send("POST", { after: awaited });
    return null;
  }

  async function writeFrame({ header }: ParsedFrame, completeAt: number): Promise<void> {
    const startedAt = clock.monotonic();
    await file.replace(toFullFrame(table, { ...header, keyVersion: keyVersion ?? header.keyVersion }), completeAt);
    state.writes += 1;
    wait = Math.min((clock.monotonic() - startedAt) * rest.factor, rest.longest);
  }

  /** Before a frame that names them. */
  async function writeKeys(modifiedAt: number): Promise<void> {
    const response = await feed(new Request("http://localhost/.well-known/jwks.json"));
    if (response.status !== 200) throw new Error("the keys are not known");
    const body = new Uint8Array(await response.arrayBuffer());
    await keysFile.replace([body], modifiedAt);
    keyVersion = createHash("sha256").update(body).digest().readUInt32BE(0);
  }

  /** Frames come every second: the next one is the next attempt. */
  function fail(error: unknown): null {
    report(error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : "unknown");
    return null;
  }

  function report(failure: string | null): void {
    if (state.failure === failure) return;
    state.failure = failure;
    onFailure(failure);
  }

  reading.wake();
  return {
    get failure() {
      return state.failure;
    },
    get writes() {
      return state.writes;
    },
    get completeAt() {
      return state.completeAt;
    },
    async stop() {
      isStopped = true;
      await stream?.cancel();
      await Promise.all([reading.stop(), writing.stop()]);
      await Promise.all([file.close(), keysFile.close()]);
    },
  };
}
