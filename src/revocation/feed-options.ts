import type { FeedState, Revocation } from "../core/revocation.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { Schedule } from "../core/runtime/schedule.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { Store } from "../core/store/index.ts";
import type { EventListener } from "../events/events.ts";
import type { Instant } from "./lease.ts";
import type { FeedFollower } from "./readers/feed-log.ts";
import type { ReadersKnowledge } from "./readers/readers-knowledge.ts";
import type { RevocationIndex } from "./revocation-index.ts";

/** The options of `createFeed`. */
export interface FeedOptions {
  readonly store: Pick<Store, "feed" | "nodes">;
  readonly index: RevocationIndex;
  readonly clock: Clock;
  readonly settings: Pick<Settings, "accessTokenLifetime" | "leeway" | "maxStaleness" | "heartbeat" | "nodeName">;
  /** Called for every entry when the index has it. An entry may come more than once. */
  readonly onApplied?: ((revocation: Revocation) => void) | undefined;
  /** Called when a read has returned the state of the installation, with the time before it was sent. */
  readonly onState?: ((state: FeedState, sentAt: Instant) => void) | undefined;
  /** Called about every quarter of `maxStaleness` with the seconds since the last complete read. */
  readonly onStaleness?: ((seconds: number) => void) | undefined;
  /** Called for every entry that is read after the first load, with the seconds since it was appended. */
  readonly onLag?: ((seconds: number) => void) | undefined;
  /** Called with the events of the feed and of the store's notifications. */
  readonly emit: EventListener;
  /** Learns what is read and committed, for readers of this process. Default: there is none. */
  readonly follower?: FeedFollower | undefined;
  /** What the readers of this process may still accept. Default: it has no readers. */
  readonly readers?: ReadersKnowledge | undefined;
  readonly schedule?: Schedule | undefined;
}
