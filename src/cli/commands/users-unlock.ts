import type { Command } from "commander";
import { toClientNetwork } from "../../core/addresses.ts";
import type { Store } from "../../core/store/index.ts";
import { toCount } from "../../core/text.ts";
import { readAccountState } from "../../flows/throttling/account-state.ts";
import { toKeyOfName, unlockAddress, unlockName, unlockOwnUser } from "../../flows/throttling/unlock.ts";
import { findUserByName } from "../../flows/users/users.ts";
import type { Config } from "../../server/config/config.ts";
import { addCommand, type CommonOptions, type Output, runOnStore } from "../command.ts";
import type { Context } from "../context.ts";
import { CommandError } from "../errors.ts";
import { findApplicationRow } from "../find-users.ts";
import { toFlowDeps } from "../flow-deps.ts";
import { operator } from "../operator.ts";

interface UnlockOptions extends CommonOptions {
  readonly address?: string;
}

/** Adds the command `users unlock`. */
export function addUsersUnlock(users: Command, context: Context): void {
  addCommand(users, "unlock", "Clear the failed logins of a user or an address.")
    .argument("[name]", "Login name of the user.")
    .option("--address <ip>", "Clear the failed logins from this address, for all users. For IPv6, from its /64.")
    .action((name: string | undefined, options: UnlockOptions, command: Command) => {
      const { address } = options;
      if ((name === undefined) === (address === undefined)) command.error("error: give one of NAME and --address IP");
      return runOnStore(context, options, (store, config) =>
        name === undefined ? clearAddress(store, config, address ?? "") : clearUser(store, config, name),
      );
    });
}

async function clearUser(store: Store, config: Config, name: string): Promise<Output> {
  const deps = toFlowDeps(store, config);
  // Only the application knows the names in its own table.
  if (config.settings.findUser !== undefined) return toOutput(name, await unlockName(deps, name, operator));
  const user = await findUserByName(deps, name);
  if (user !== null) return toOutput(user.username, await unlockOwnUser(deps, user.id, operator));
  // The settings here may lack the `findUser` that the application passes to createAuth. Its users are counted by name.
  if ((await readAccountState(deps, toKeyOfName(deps, name))).failures > 0) {
    return toOutput(name, await unlockName(deps, name, operator));
  }
  if ((await findApplicationRow(deps, name)) !== null) {
    throw new CommandError(`the application manages the user ${name}; give the login name instead of the id`);
  }
  throw new CommandError(`no user ${name}, and no failed login under this name`);
}

async function clearAddress(store: Store, config: Config, address: string): Promise<Output> {
  try {
    const cleared = await unlockAddress(toFlowDeps(store, config), address, { client: operator });
    return toOutput(toClientNetwork(address), cleared);
  } catch (error) {
    throw error instanceof TypeError ? new CommandError(`${address} is not an IP address`) : error;
  }
}

function toOutput(unlocked: string, cleared: number): Output {
  const lines = [`Unlocked ${unlocked}; cleared ${toCount(cleared, "counter")} of failed logins.`];
  return { lines, json: { unlocked, cleared } };
}
