/** What a node is sent: access tokens to watch. It answers with their number. */
export interface Watch {
  readonly tokens: readonly string[];
}

/** What a node tells when it has learned that a token's session has ended. */
export interface Seen {
  readonly sessionId: string;
  /** On `readSharedClock`. */
  readonly at: number;
}

/** Milliseconds on the monotonic clock that all processes of the machine share. */
export const readSharedClock = (): number => Number(process.hrtime.bigint()) / 1e6;
