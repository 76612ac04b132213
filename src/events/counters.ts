/** A counter of events. */
export interface CounterDescription {
  /** The metric's name. */
  readonly name: string;
  /** The metric's help text. */
  readonly help: string;
  /** The name of the metric's label. */
  readonly label: string;
  /**
   * The label values that are exported from the start. If a series first appeared with its first event, that event would
   * show no increase.
   */
  readonly initial: readonly string[];
}

/** The counters that events increment. */
export const eventCounters = {
  logins: {
    name: "tokenpair_logins_total",
    help: "Logins by outcome: success, or the code of the refusal.",
    label: "outcome",
    initial: ["success"],
  },
  refreshes: {
    name: "tokenpair_refreshes_total",
    help: "Refreshes by outcome. Alert on reuse_detected and state_lost.",
    label: "outcome",
    initial: [
      "rotated",
      "replayed",
      "not_rotated",
      "redeemed",
      "rotation_ignored",
      "reuse_detected",
      "state_lost",
      "refused",
    ],
  },
  revocations: {
    name: "tokenpair_session_revocations_total",
    help: "Changes on this node that revoked sessions, by reason.",
    label: "reason",
    initial: [],
  },
  throttled: {
    name: "tokenpair_throttled_total",
    help: "Logins refused because of too many failures, by what was counted. For endpoints: minutes with refusals.",
    label: "scope",
    initial: ["account", "address", "pair", "device", "refresh", "verify", "blacklist"],
  },
  confirmations: {
    name: "tokenpair_revocation_confirmations_total",
    help: "Confirmed revocations by how: acks, expiry or pending. Alert on expiry: a node is silent.",
    label: "by",
    initial: ["acks", "expiry", "pending"],
  },
  feed: {
    name: "tokenpair_feed_events_total",
    help: "Events of the revocation feed on this node.",
    label: "event",
    initial: ["feed_stale", "feed_recovered", "feed_reloaded", "listen_lost", "listen_recovered"],
  },
  keys: {
    name: "tokenpair_key_events_total",
    help: "Events of the key ring on this node. Alert on keys_unreadable.",
    label: "event",
    initial: ["key_added", "keys_unreadable"],
  },
  services: {
    name: "tokenpair_service_refusals_total",
    help: "Refused requests to endpoints for services, by why they were refused.",
    label: "refusal",
    initial: ["invalid_client", "insufficient_scope", "throttled"],
  },
} as const satisfies Readonly<Record<string, CounterDescription>>;

/** The key of a counter. */
export type CounterName = keyof typeof eventCounters;
