import type { Command } from "commander";
import { toCount } from "../../core/text.ts";
import { eraseUser } from "../../flows/users/erase-user.ts";
import { askToConfirm } from "../ask.ts";
import { addCommand, type CommonOptions, runOnStore } from "../command.ts";
import type { Context } from "../context.ts";
import { CommandError, UsageError } from "../errors.ts";
import { toFlowDeps } from "../flow-deps.ts";
import { reasonOption, toOperator } from "../operator.ts";

interface EraseOptions extends CommonOptions {
  readonly user?: string;
  readonly yes?: true;
  readonly reason?: string;
}

/** Adds the command `audit erase`. */
export function addAuditErase(audit: Command, context: Context): void {
  addCommand(audit, "erase", "Erase IP addresses, user agents and notes from the entries of a deleted user.")
    .option("--user <id>", "The id of the deleted user. Required.")
    .option("--yes", "Don't ask for confirmation.")
    .option(...reasonOption)
    .action((_: unknown, command: Command) => {
      // `audit` has options of the same names, and takes their values.
      const options = command.optsWithGlobals<EraseOptions>();
      const { user: userId } = options;
      if (userId === undefined) throw new UsageError("--user is missing; give the id of the deleted user");
      return runOnStore(context, options, async (store, config) => {
        if (!options.yes)
          await askToConfirm(context, `This erases what is stored about the devices of user ${userId}.`);
        const erased = await eraseUser(toFlowDeps(store, config), userId, toOperator(options));
        if (erased === null) {
          throw new CommandError(`user ${userId} still exists; delete the user first: tokenpair users delete NAME`);
        }
        const { entries, sessions } = erased;
        return {
          lines: [
            `Erased ${toCount(entries, "audit entry", "audit entries")} and ${toCount(sessions, "session")} of user ${userId}.`,
          ],
          json: { user_id: userId, entries, sessions },
        };
      });
    });
}
