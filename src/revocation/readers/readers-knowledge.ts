/** What the readers of a process know, for its acknowledgements and confirmations. */
export interface ReadersKnowledge {
  /**
   * Waits until no reader accepts a token that is revoked by what a caller waits for and this process has applied.
   *
   * @returns `null` if that is so already.
   */
  whenKnown(): Promise<void> | null;
  /** The number of the last record for which a caller waits: with the same number, `whenKnown` waits for the same. */
  readonly lastAwaited: number;
  /** Returns whether no reader relies on this process any more. */
  areOver(): boolean;
}

/** The knowledge of a process that has no readers. */
export const noReaders: ReadersKnowledge = { whenKnown: () => null, lastAwaited: 0, areOver: () => true };
