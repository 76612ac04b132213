import type { CommitPosition, Confirmation } from "../core/revocation.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { Random } from "../core/runtime/random.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { Store } from "../core/store/index.ts";
import type { AuthUser } from "../core/user.ts";
import type { LegacyTokens } from "../crypto/legacy/legacy-tokens.ts";
import type { PasswordHasher } from "../crypto/passwords.ts";
import type { Tokens } from "../crypto/tokens.ts";
import type { EventListener } from "../events/events.ts";
import type { Recorder } from "../events/recorder.ts";
import type { Keys } from "../keys/keys.ts";
import type { Feed } from "../revocation/feed.ts";
import type { FeedReaders } from "../revocation/readers/readers.ts";
import type { RevocationIndex } from "../revocation/revocation-index.ts";
import type { LoginQueue } from "./throttling/login-queue.ts";
import type { UserSource } from "./user-source.ts";

/**
 * What every flow works with. `createAuth` builds it once and freezes it. Flows know a user only as `AuthUser`;
 * `createAuth` restores the application's own types.
 */
export interface Deps {
  readonly settings: Settings<AuthUser>;
  readonly store: Store;
  /** tokenpair's own user table, or the application's. */
  readonly users: UserSource;
  /** Signs and verifies both kinds of token. */
  readonly tokens: Tokens;
  /** Verifies refresh tokens of simplejwt, during the move from it; else `null`. */
  readonly legacyTokens: LegacyTokens | null;
  /** Hashes and verifies passwords. */
  readonly passwords: PasswordHasher;
  /** This node's keys. Flows that make or verify other tokens than access tokens await `ready` first. */
  readonly keys: Pick<Keys, "ready" | "mayKnowLater" | "current">;
  /** Attempts to log in that wait for others on this node. */
  readonly loginQueue: LoginQueue;
  /** The revocations that this node knows. */
  readonly revocations: RevocationIndex;
  /** Fills `revocations` from the store's revocation feed. */
  readonly feed: Feed;
  /** Hands the revocations to readers over HTTP. */
  readonly readers: FeedReaders;
  /** Waits until a committed revocation is in force on every node, for `confirmTimeout` at most. */
  readonly confirm: (position: CommitPosition) => Promise<Confirmation>;
  readonly clock: Clock;
  readonly random: Random;
  /** Gives an event to the listeners and, if its audit policy is "batch", to the audit log. Never throws. */
  readonly emit: EventListener;
  /** Returns what a transaction records about events. */
  readonly record: Recorder;
}
