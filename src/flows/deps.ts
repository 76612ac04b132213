import type { Clock } from "../core/clock.ts";
import type { EventListener } from "../core/events.ts";
import type { Settings } from "../core/settings.ts";
import type { Store } from "../core/store.ts";
import type { AuthUser } from "../core/user.ts";
import type { PasswordHasher } from "../crypto/passwords.ts";
import type { Random } from "../crypto/secrets.ts";
import type { Tokens } from "../crypto/tokens.ts";
import type { Feed } from "../revocation/feed.ts";
import type { RevocationIndex } from "../revocation/revocation-index.ts";
import type { Auditor } from "./auditor.ts";
import type { UserSource } from "./user-source.ts";

/**
 * What every flow works with: built once by `createAuth` and frozen. Flows know no more of a user than `AuthUser`;
 * `createAuth` gives the application its own types back.
 */
export interface Deps {
  readonly settings: Settings<AuthUser>;
  readonly store: Store;
  readonly users: UserSource;
  readonly tokens: Tokens;
  readonly passwords: PasswordHasher;
  /** The key of the device tokens. */
  readonly deviceKey: Uint8Array;
  readonly revocations: RevocationIndex;
  readonly feed: Feed;
  readonly clock: Clock;
  readonly random: Random;
  readonly emit: EventListener;
  readonly audit: Auditor;
}
