import type { Command } from "commander";
import { toClientNetwork } from "../../core/addresses.ts";
import type { Store } from "../../core/store/index.ts";
import { readAccountState } from "../../flows/throttling/account-state.ts";
import { toKeyOfName, unlockAddress, unlockName, unlockOwnUser } from "../../flows/unlock.ts";
import { findUserByName } from "../../flows/users.ts";
import type { Config } from "../../server/config/config.ts";
import { addCommand, type CommonOptions, type Output, runOnStore } from "../command.ts";
import type { Context } from "../context.ts";
import { findApplicationUser, toFlowDeps } from "../flow-deps.ts";
import { toCount } from "../format.ts";
import { operator } from "../operator.ts";
import { Refused } from "../refused.ts";

interface UnlockOptions extends CommonOptions {
  readonly address?: string;
}

export function addUsersUnlock(users: Command, context: Context): void {
  addCommand(users, "unlock", "forget the failed logins of a user, or from an address")
    .argument("[name]", "the user, by the name that is typed to log in")
    .option("--address <ip>", "forget the failed logins from this address, over all users; of IPv6, from its /64")
    .action((name: string | undefined, options: UnlockOptions, command: Command) => {
      const { address } = options;
      if ((name === undefined) === (address === undefined)) command.error("error: give one of NAME and --address IP");
      return runOnStore(context, options, (store, config) =>
        name === undefined ? forgetAddress(store, config, address ?? "") : forgetUser(store, config, name),
      );
    });
}

async function forgetUser(store: Store, config: Config, name: string): Promise<Output> {
  const deps = toFlowDeps(store, config);
  // Which names there are in a table of the application's own, only the application knows.
  if (config.settings.findUser !== undefined) return toOutput(name, await unlockName(deps, name, operator));
  const user = await findUserByName(deps, name);
  if (user !== null) return toOutput(user.username, await unlockOwnUser(deps, user.id, operator));
  // The application may have given its `findUser` to createAuth alone; what is counted of its users is so by name.
  if ((await readAccountState(deps, toKeyOfName(deps, name))).failures > 0) {
    return toOutput(name, await unlockName(deps, name, operator));
  }
  if ((await findApplicationUser(deps, name)) !== null) {
    throw new Refused(`the application keeps the user ${name}; give the name that is typed to log in, and not the id`);
  }
  throw new Refused(`there is no user ${name}, and no failed login under this name`);
}

async function forgetAddress(store: Store, config: Config, address: string): Promise<Output> {
  try {
    const forgotten = await unlockAddress(toFlowDeps(store, config), address, operator);
    return toOutput(toClientNetwork(address), forgotten);
  } catch (error) {
    throw error instanceof TypeError ? new Refused(`${address} is no IP address`) : error;
  }
}

function toOutput(unlocked: string, forgotten: number): Output {
  const lines = [`Unlocked ${unlocked}; forgot ${toCount(forgotten, "count")} of failed logins.`];
  return { lines, json: { unlocked, forgotten } };
}
