/** A webhook message that a node has claimed. */
export interface Delivery {
  /** The message's id. It is the same for every attempt. */
  readonly id: string;
  /** The message, as JSON. */
  readonly body: string;
  /** The time of the event, in whole seconds since the epoch. */
  readonly at: number;
  /** How often the message has been claimed, including this time. */
  readonly attempts: number;
  /** The time of the claim, in whole seconds since the epoch on the database's clock. */
  readonly now: number;
}

/** The webhook messages that wait to be sent. Each is written in the same transaction as the change that it describes. */
export interface OutboxStore {
  /** Claims at most `limit` due messages, oldest first, for `lease` seconds. During that time, no other node gets them. */
  claim(options: { readonly limit: number; readonly lease: number }): Promise<readonly Delivery[]>;
  /** Removes a message. Returns false, and changes nothing, if another node has claimed the message since. */
  remove(delivery: Pick<Delivery, "id" | "attempts">): Promise<boolean>;
  /**
   * Postpones a message by `seconds`. Returns false, and changes nothing, if another node has claimed the message since.
   */
  postpone(delivery: Pick<Delivery, "id" | "attempts">, seconds: number): Promise<boolean>;
}
