import type { CommitPosition, Confirmation } from "../core/revocation.ts";
import type { Clock } from "../core/runtime/clock.ts";
import type { Random } from "../core/runtime/random.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { Store } from "../core/store/index.ts";
import type { AuthUser } from "../core/user.ts";
import type { LegacyTokens } from "../crypto/legacy/legacy-tokens.ts";
import type { PasswordHasher } from "../crypto/passwords.ts";
import type { Tokens } from "../crypto/tokens/tokens.ts";
import type { EventListener } from "../events/events.ts";
import type { Recorder } from "../events/recorder.ts";
import type { Keys } from "../keys/keys.ts";
import type { Feed } from "../revocation/feed.ts";
import type { FeedReaders } from "../revocation/readers/readers.ts";
import type { RevocationIndex } from "../revocation/revocation-index.ts";
import type { LoginQueue } from "./throttling/login-queue.ts";
import type { UserSource } from "./users/user-source.ts";

/**
 * The dependencies of all flows. `createAuth` builds and freezes them once. Flows know a user only as `AuthUser`, and
 * `createAuth` restores the application's own types.
 */
export interface Deps {
  readonly settings: Settings<AuthUser>;
  readonly store: Store;
  /** The users, in tokenpair's own table or in the application's. */
  readonly users: UserSource;
  /** Signs and verifies access and refresh tokens. */
  readonly tokens: Tokens;
  /** Verifies refresh tokens of simplejwt during the migration from it. Otherwise `null`. */
  readonly legacyTokens: LegacyTokens | null;
  /** Hashes and verifies passwords. */
  readonly passwords: PasswordHasher;
  /** This node's keys. A flow that creates or verifies tokens other than access tokens awaits `ready` first. */
  readonly keys: Pick<Keys, "ready" | "mayKnowLater" | "current">;
  /** The login attempts on this node that wait for other attempts. */
  readonly loginQueue: LoginQueue;
  /** The revocations that this node knows about. */
  readonly revocations: RevocationIndex;
  /** Reads the store's revocation feed into `revocations`. */
  readonly feed: Feed;
  /** Hands the revocations to readers over HTTP. */
  readonly readers: FeedReaders;
  /** Waits until a committed revocation is in force on every node, for `confirmTimeout` at most. */
  readonly confirm: (position: CommitPosition) => Promise<Confirmation>;
  readonly clock: Clock;
  readonly random: Random;
  /** Passes an event to the listeners and, if its audit policy is "batch", to the audit log. Never throws. */
  readonly emit: EventListener;
  /** Returns what a transaction records about its events. */
  readonly record: Recorder;
}
