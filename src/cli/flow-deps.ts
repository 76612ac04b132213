import type { Store } from "../core/store.ts";
import type { User } from "../core/user.ts";
import { createPasswordHasher } from "../crypto/passwords.ts";
import { systemRandom } from "../crypto/secrets.ts";
import { createAuditor } from "../flows/auditor.ts";
import type { ImportDeps } from "../flows/import-users.ts";
import type { SessionDeps } from "../flows/sessions.ts";
import { findUserByName, type UserDeps } from "../flows/users.ts";
import type { Config } from "../server/config.ts";
import { Refused } from "./refused.ts";

/** What the flows need here: no key, and no index, as running servers learn of every change from the store. */
export function toFlowDeps(store: Store, { settings }: Config): UserDeps & SessionDeps & ImportDeps {
  return {
    store,
    settings,
    passwords: createPasswordHasher(settings),
    feed: { apply() {} },
    emit() {},
    audit: createAuditor(settings, systemRandom),
  };
}

/** The user of that name. @throws Refused where there is none. */
export async function requireUser(deps: UserDeps, name: string): Promise<User> {
  const user = await findUserByName(deps, name);
  if (user === null) throw new Refused(`there is no user ${name}; see them with \`tokenpair users list\``);
  return user;
}
