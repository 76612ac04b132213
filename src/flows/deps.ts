import type { Clock } from "../core/runtime/clock.ts";
import type { Random } from "../core/runtime/random.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { Store } from "../core/store/index.ts";
import type { AuthUser } from "../core/user.ts";
import type { PasswordHasher } from "../crypto/passwords.ts";
import type { Tokens } from "../crypto/tokens.ts";
import type { EventListener } from "../events/events.ts";
import type { Recorder } from "../events/recorder.ts";
import type { Feed } from "../revocation/feed.ts";
import type { RevocationIndex } from "../revocation/revocation-index.ts";
import type { UserSource } from "./user-source.ts";

/**
 * What every flow works with. `createAuth` builds it once and freezes it. Flows know a user only as `AuthUser`; `createAuth`
 * restores the application's own types.
 */
export interface Deps {
  readonly settings: Settings<AuthUser>;
  readonly store: Store;
  readonly users: UserSource;
  readonly tokens: Tokens;
  readonly passwords: PasswordHasher;
  /** The HMAC key of device tokens. */
  readonly deviceKey: Uint8Array;
  readonly revocations: RevocationIndex;
  readonly feed: Feed;
  readonly clock: Clock;
  readonly random: Random;
  /** Publishes an event that no transaction records. */
  readonly emit: EventListener;
  /** Returns what a transaction records about events. */
  readonly record: Recorder;
}
