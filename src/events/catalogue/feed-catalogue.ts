import type { FeedEvent } from "../feed-events.ts";
import type { EventEntry } from "./entry.ts";

/** The catalogue's entries for events about the revocation feed and about confirmations. */
export const feedEntries: {
  readonly [T in FeedEvent["type"]]: EventEntry<Extract<FeedEvent, { readonly type: T }>>;
} = {
  feed_stale: {
    description: "This node has not read the revocation feed for longer than `maxStaleness`, and fails closed.",
    fields: { staleSeconds: "", reason: "" },
    audit: "never",
    level: "error",
    count: () => ["feed", "feed_stale"],
    webhook: null,
  },
  feed_recovered: {
    description: "This node reads the revocation feed again.",
    fields: {},
    audit: "never",
    level: "info",
    count: () => ["feed", "feed_recovered"],
    webhook: null,
  },
  feed_reloaded: {
    description:
      "This node has read the whole feed again: the database was restarted or restored, or the node's clock was set back.",
    fields: { revocations: "how many it read" },
    audit: "never",
    level: "warn",
    count: () => ["feed", "feed_reloaded"],
    webhook: null,
  },
  revocation_confirmed: {
    description:
      "A revocation that was to be confirmed is in force on every node, or was answered without waiting any longer.",
    fields: {
      by: "`acks`: every node has acknowledged it. `expiry`: a silent node's lease is over. `pending`: neither yet.",
      ms: "milliseconds from the commit to the answer",
    },
    audit: "never",
    level: ({ by }) => (by === "acks" ? "info" : "warn"),
    count: ({ by }) => ["confirmations", by],
    webhook: null,
  },
  listen_lost: {
    description: "The database no longer notifies this node of revocations. The node keeps polling.",
    fields: { reason: "" },
    audit: "never",
    level: "warn",
    count: () => ["feed", "listen_lost"],
    webhook: null,
  },
  listen_recovered: {
    description: "The database notifies this node of revocations again.",
    fields: {},
    audit: "never",
    level: "info",
    count: () => ["feed", "listen_recovered"],
    webhook: null,
  },
};
