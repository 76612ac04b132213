import { systemClock } from "../core/runtime/clock.ts";
import { systemRandom } from "../core/runtime/random.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { Store } from "../core/store/index.ts";
import { createPasswordHasher } from "../crypto/passwords.ts";
import { createRecorder } from "../events/recorder.ts";
import type { KeyDeps } from "../flows/keys/keys.ts";
import type { ServiceDeps } from "../flows/services/services.ts";
import type { SessionDeps } from "../flows/sessions/sessions.ts";
import type { AccountDeps } from "../flows/throttling/account-state.ts";
import type { ImportDeps } from "../flows/users/import-users.ts";
import type { UserDeps } from "../flows/users/users.ts";
import { createConfirmer } from "../revocation/confirm.ts";
import type { Config } from "../server/config/config.ts";

/** The dependencies of all flows that commands run. */
export type FlowDeps = UserDeps &
  SessionDeps &
  ImportDeps &
  AccountDeps &
  KeyDeps &
  ServiceDeps & { readonly settings: Pick<Settings, "updateLastLogin"> };

/**
 * Creates the dependencies of the flows. They need no keys and no revocation index, because servers read every change from
 * the store.
 */
export function toFlowDeps(store: Store, { settings }: Config): FlowDeps {
  const confirmer = createConfirmer({ nodes: store.nodes, clock: systemClock, nodeId: () => null });
  return {
    store,
    settings,
    passwords: createPasswordHasher(settings),
    feed: { apply() {} },
    // A command waits as long as it takes.
    confirm: (position) => confirmer.confirm(position),
    emit() {},
    record: createRecorder(settings, systemRandom),
    random: systemRandom,
  };
}
