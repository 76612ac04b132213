/** A webhook message that a node has claimed. */
export interface Delivery {
  /** The message's id: the same for every attempt. */
  readonly id: string;
  /** The message, as JSON. */
  readonly body: string;
  /** When the event happened: whole seconds since the epoch. */
  readonly at: number;
  /** How often the message has been claimed, this time included. */
  readonly attempts: number;
  /** The database's time of the claim: whole seconds since the epoch. */
  readonly now: number;
}

/** The webhook messages that wait to be sent, written by the changes that they describe. */
export interface OutboxStore {
  /**
   * Claims at most `limit` due messages, oldest first, for `lease` seconds. No other node gets them until the lease is
   * over.
   */
  claim(options: { readonly limit: number; readonly lease: number }): Promise<readonly Delivery[]>;
  /** Removes a message. Returns false, and changes nothing, if another node has claimed it since. */
  remove(delivery: Pick<Delivery, "id" | "attempts">): Promise<boolean>;
  /** Postpones a message by `seconds`. Returns false, and changes nothing, if another node has claimed it since. */
  postpone(delivery: Pick<Delivery, "id" | "attempts">, seconds: number): Promise<boolean>;
}
