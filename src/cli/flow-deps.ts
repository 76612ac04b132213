import { systemRandom } from "../core/runtime/random.ts";
import type { Store } from "../core/store/index.ts";
import type { User } from "../core/user.ts";
import { createPasswordHasher } from "../crypto/passwords.ts";
import { createRecorder } from "../events/recorder.ts";
import type { ImportDeps } from "../flows/import-users.ts";
import type { SessionDeps } from "../flows/sessions.ts";
import type { AccountDeps } from "../flows/throttling/account-state.ts";
import { findUserByName, type UserDeps } from "../flows/users.ts";
import type { Config } from "../server/config/config.ts";
import { Refused } from "./refused.ts";

/** What every flow of the command line needs. */
export type FlowDeps = UserDeps & SessionDeps & ImportDeps & AccountDeps;

/** What the flows need here: no key, and no index, as running servers learn of every change from the store. */
export function toFlowDeps(store: Store, { settings }: Config): FlowDeps {
  return {
    store,
    settings,
    passwords: createPasswordHasher(settings),
    feed: { apply() {} },
    emit() {},
    record: createRecorder(settings, systemRandom),
  };
}

/** The user of that name. @throws Refused where there is none. */
export async function requireUser(deps: UserDeps, name: string): Promise<User> {
  const user = await findUserByName(deps, name);
  if (user !== null) return user;
  if ((await findApplicationUser(deps, name)) === null) throw noUser(name, "them");
  throw new Refused(
    `the application keeps the user ${name} itself; here, see and end its sessions with \`tokenpair sessions\``,
  );
}

/**
 * The user of that name or, of those whom the application keeps, of that id; and what to call this user.
 *
 * @throws Refused where there is neither.
 */
export async function requireOwner(
  deps: UserDeps,
  nameOrId: string,
): Promise<{ readonly id: string; readonly name: string }> {
  const user = (await findUserByName(deps, nameOrId)) ?? (await findApplicationUser(deps, nameOrId));
  if (user === null) throw noUser(nameOrId, "them, and the ids of an application's own,");
  return { id: user.id, name: user.username || user.id };
}

/** The row of a user whom the application keeps, who has no name here; `null` where none has logged in with this id. */
export async function findApplicationUser({ store }: UserDeps, id: string): Promise<User | null> {
  const user = await store.users.findById(id);
  return user === null || user.username !== "" ? null : user;
}

const noUser = (name: string, them: string) =>
  new Refused(`there is no user ${name}; see ${them} with \`tokenpair users list\``);
