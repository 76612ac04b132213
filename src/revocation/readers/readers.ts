/** A request of a reader for the revocation feed. */
export interface ReaderRequest {
  /** The cursor that the reader sent. Default: it wants a full frame. Any text: one that isn't known gives a full frame too. */
  readonly after?: string | undefined;
  /** For how long the reader accepts tokens after a frame: its `maxStaleness`, in milliseconds. */
  readonly lease: number;
  /**
   * The reader's own name for itself: random, new for every process, and the same in all its requests. Default: it has none, so it
   * can't acknowledge anything, and every confirmation waits for its lease.
   */
  readonly reader?: string | undefined;
  /** When the request arrived: milliseconds on the monotonic clock. */
  readonly arrivedAt: number;
}

/** Hands the revocations of this process to readers over HTTP: services without a database, and relays. */
export interface FeedReaders {
  /**
   * Returns a frame of what is new, as soon as there is something, or the keys have changed.
   *
   * @param wait milliseconds after which the frame is returned although nothing is new.
   * @param signal ends the wait: the reader has gone.
   * @throws AuthError `unavailable` if this process's knowledge is stale, or it is stopping; `throttled` if too many wait; what
   * the store throws; the signal's reason.
   */
  poll(request: ReaderRequest, options: { readonly wait: number; readonly signal?: AbortSignal }): Promise<PolledFrame>;
  /**
   * Returns frames without end: what is new, and an empty frame about every second. The stream is closed after about 15 minutes,
   * when `signal` aborts, and when the process closes. At most one frame waits for a slow reader.
   *
   * @throws AuthError `unavailable` if this process's knowledge is stale, or it is stopping; `throttled` if there are too many
   * streams; what the store throws.
   */
  stream(request: ReaderRequest, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Notes that a reader has applied everything up to a cursor. Does nothing for an unknown reader or cursor. */
  acknowledge(reader: string, cursor: string): void;
  /** Returns what the readers cost. */
  stats(): ReaderStats;
  /** Ends every stream and poll. */
  stop(): void;
}

/** The answer to a poll. Its bytes are shared with other answers: they must not be changed. */
export interface PolledFrame {
  /** The header, with or without the records; then the records, if they aren't in it. */
  readonly parts: readonly Uint8Array[];
  /** How many bytes all parts have. */
  readonly length: number;
}

/** What the readers of the feed cost. */
export interface ReaderStats {
  /** Streams that are open. */
  readonly streams: number;
  /** Polls that wait. */
  readonly polls: number;
  /** Bytes of all frames since the start. */
  readonly bytes: number;
  /** Records in memory for the readers; 0 before the first reader. */
  readonly records: number;
  /** Milliseconds since the last frame of the slowest reader was made; 0 without readers. */
  readonly lag: number;
}
