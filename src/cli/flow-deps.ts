import { systemClock } from "../core/runtime/clock.ts";
import { systemRandom } from "../core/runtime/random.ts";
import type { Settings } from "../core/settings/settings.ts";
import type { Store } from "../core/store/index.ts";
import type { User } from "../core/user.ts";
import { createPasswordHasher } from "../crypto/passwords.ts";
import { createRecorder } from "../events/recorder.ts";
import type { KeyDeps } from "../flows/keys/keys.ts";
import type { ServiceDeps } from "../flows/services/services.ts";
import type { SessionDeps } from "../flows/sessions/sessions.ts";
import type { AccountDeps } from "../flows/throttling/account-state.ts";
import type { ImportDeps } from "../flows/users/import-users.ts";
import { findUserByName, type UserDeps } from "../flows/users/users.ts";
import { createConfirmer } from "../revocation/confirm.ts";
import type { Config } from "../server/config/config.ts";
import { CommandError } from "./errors.ts";

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

/**
 * Checks that the users are in tokenpair's own table.
 *
 * @throws CommandError if they are in the application's, because `findUser` is set.
 */
export function requireOwnUsers({ settings }: Config): void {
  if (settings.findUser === undefined) return;
  throw new CommandError("findUser: the application manages its users; create them and set their passwords there");
}

/**
 * Returns the user with this name.
 *
 * @throws CommandError if there is no such user, or if the users are in the application's own table.
 */
export async function requireUser(deps: UserDeps, name: string): Promise<User> {
  const user = await findUserByName(deps, name);
  const isApplications = deps.settings.findUser !== undefined || (await findApplicationUser(deps, name)) !== null;
  if (user !== null && deps.settings.findUser === undefined) return user;
  if (!isApplications) throw unknownUser(name);
  throw new CommandError(
    `the application manages the user ${name}; disable, enable or delete the user there with auth.users, ` +
      "and revoke the sessions with `tokenpair sessions revoke --user ID`",
  );
}

/**
 * Returns the owner of sessions: the user with this name, or the application's user with this id.
 *
 * @returns the id, and the name to print. If there is no name, the id is printed.
 * @throws CommandError if there is no such user.
 */
export async function requireOwner(
  deps: UserDeps,
  nameOrId: string,
): Promise<{ readonly id: string; readonly name: string }> {
  const isOwn = deps.settings.findUser === undefined;
  const named = isOwn ? await findUserByName(deps, nameOrId) : null;
  const user = named ?? (await findApplicationUser(deps, nameOrId));
  if (user === null && !isOwn) {
    throw new CommandError(
      `no user with the id ${nameOrId} has logged in; the application manages its users, so give the id, not the name`,
    );
  }
  if (user === null) throw unknownUser(nameOrId);
  return { id: user.id, name: user.username || user.id };
}

/**
 * Returns the row of a user in the application's own table. The row has no name. Returns `null` if the id has never logged
 * in.
 */
export async function findApplicationUser({ store }: UserDeps, id: string): Promise<User | null> {
  const user = await store.users.findById(id);
  return user === null || user.username !== "" ? null : user;
}

const unknownUser = (name: string) =>
  new CommandError(`no user ${name}; list all users and their ids with \`tokenpair users list\``);
