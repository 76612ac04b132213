import type { User } from "../core/user.ts";
import { findUserByName, type UserDeps } from "../flows/users/users.ts";
import type { Config } from "../server/config/config.ts";
import { CommandError } from "./errors.ts";

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
  const isApplications = deps.settings.findUser !== undefined || (await findApplicationRow(deps, name)) !== null;
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
  const user = named ?? (await findApplicationRow(deps, nameOrId));
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
export async function findApplicationRow({ store }: UserDeps, id: string): Promise<User | null> {
  const user = await store.users.findById(id);
  return user === null || user.username !== "" ? null : user;
}

const unknownUser = (name: string) =>
  new CommandError(`no user ${name}; list all users and their ids with \`tokenpair users list\``);
