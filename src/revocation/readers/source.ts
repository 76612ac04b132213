import type { RecordLog } from "./record-log.ts";

/** Where the frames of this process come from: its store, or another process that it reads itself. */
export interface FeedSource {
  /** The records. Everything that was known when `age` was measured must be in it. */
  readonly log: RecordLog;
  /**
   * Fulfils when the log has every record that a reader may need. Called before the first frame of every request.
   *
   * @throws AuthError `unavailable`, or what the store throws.
   */
  prepare(): Promise<void>;
  /** Returns by how many milliseconds the log may be behind the store now; `Infinity` if it isn't known. */
  age(): number;
  /** Returns whether new requests can be served: the log is not too old. */
  isFresh(): boolean;
  /** Returns the version of the keys that this process publishes: 32 bits. */
  keyVersion(): number;
  /**
   * Fulfils when every confirmation of a revocation is certain to wait for readers with this lease, and the log has been read since.
   * Only then may a frame be made for such a reader.
   *
   * @param lease milliseconds.
   * @throws AuthError `unavailable`, or what the store throws.
   */
  requireLease(lease: number): Promise<void>;
}
