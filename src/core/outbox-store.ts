/** What the webhook has to be sent, for as long as somebody has it for themselves. */
export interface Delivery {
  readonly id: string;
  /** JSON. */
  readonly body: string;
  /** When it happened: whole seconds since the epoch. */
  readonly at: number;
  /** How often it has been claimed, this time included. */
  readonly attempts: number;
  /** The store's time of the claim. */
  readonly now: number;
}

/** Deliveries that have to be made, written by the changes that they tell of. */
export interface OutboxStore {
  /**
   * Takes at most `limit` deliveries whose turn it is, those that wait longest first, for `lease` seconds: meanwhile no
   * other node gets them, and afterwards any may.
   */
  claim(options: { readonly limit: number; readonly lease: number }): Promise<readonly Delivery[]>;
  /** Removes a delivery that was made or given up. False, and nothing has changed, where another has claimed it since. */
  remove(delivery: Pick<Delivery, "id" | "attempts">): Promise<boolean>;
  /** Puts a delivery off by so many seconds. False, and nothing has changed, where another has claimed it since. */
  postpone(delivery: Pick<Delivery, "id" | "attempts">, seconds: number): Promise<boolean>;
}
