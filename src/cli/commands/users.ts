import { Argument, type Command, Option } from "commander";
import type { ClientInfo } from "../../core/client-info.ts";
import { isRole, type Role, roles } from "../../core/role.ts";
import type { Settings } from "../../core/settings/settings.ts";
import type { Store } from "../../core/store/index.ts";
import { toCount, toTime, withoutControls } from "../../core/text.ts";
import type { User } from "../../core/user.ts";
import type { RevokedAndConfirmed } from "../../flows/commit.ts";
import { findPasswordFault } from "../../flows/passwords/policy.ts";
import { listSessions } from "../../flows/sessions/sessions.ts";
import { type AccountState, readAccountState } from "../../flows/throttling/account-state.ts";
import { toKeyOfUser } from "../../flows/throttling/unlock.ts";
import { requireEmail, requireUsername } from "../../flows/users/user-fields.ts";
import * as flows from "../../flows/users/users.ts";
import type { Config } from "../../server/config/config.ts";
import { askToConfirm, readNewPassword } from "../ask.ts";
import { addCommand, type CommonOptions, type Output, runOnStore } from "../command.ts";
import type { Context } from "../context.ts";
import { CommandError } from "../errors.ts";
import { requireOwnUsers, requireUser } from "../find-users.ts";
import { type FlowDeps, toFlowDeps } from "../flow-deps.ts";
import { toConfirmationLines, toRevokedJson, toTable } from "../format.ts";
import { reasonOption, toOperator } from "../operator.ts";
import { toUserJson } from "../views.ts";
import { addUsersImport } from "./users-import.ts";
import { addUsersUnlock } from "./users-unlock.ts";

interface ChangeOptions extends CommonOptions {
  readonly reason?: string;
}

interface PasswordOptions extends ChangeOptions {
  readonly passwordStdin?: true;
}

interface CreateOptions extends PasswordOptions {
  readonly email?: string;
  readonly role?: Role;
}

interface DeleteOptions extends ChangeOptions {
  readonly yes?: true;
}

/** The maximum number of users to read in one call. */
const pageSize = 1000;

/** Adds the command `users`. */
export function addUsers(program: Command, context: Context): void {
  const users = program.command("users").description("Create, show and change users.");

  addCommand(users, "create", "Create a user. Asks for the password, unless --password-stdin is given.")
    .argument("<name>", "Login name.")
    .option("--email <email>", "Email address.")
    .addOption(new Option("--role <role>", "Role in the console.").choices(roles))
    .option(...reasonOption)
    .option("--password-stdin", "Read the password from stdin, as one line.")
    .action((name: string, options: CreateOptions) => runCreate(context, name, options));

  addCommand(users, "list", "List users in order of creation.").action((options: CommonOptions) =>
    runOnStore(context, options, async (store, config) => {
      const { settings } = config;
      const users = await readUsers(store);
      const json = { users: users.map(toUserJson) };
      const table = users.length === 0 ? [] : toUserTable(users, settings);
      if (settings.findUser !== undefined) return { lines: [...table, applicationsUsersNotice], json };
      return { lines: users.length === 0 ? [noUsersNotice] : table, json };
    }),
  );

  addUsersImport(users, context);
  addUsersUnlock(users, context);
  addCommand(users, "show", "Show a user.")
    .argument("<name>", "Login name of the user.")
    .action(runOnUser(context, showUser));
  addCommand(users, "disable", "Disable a user and revoke all of the user's sessions.")
    .argument("<name>", "Login name of the user.")
    .option(...reasonOption)
    .action(
      runOnUser(context, async (deps, user, client) =>
        toChange("Disabled", user, await flows.disableUser(deps, user.id, { client })),
      ),
    );
  addCommand(users, "enable", "Enable a disabled user.")
    .argument("<name>", "Login name of the user.")
    .option(...reasonOption)
    .action(
      runOnUser(context, async (deps, user, client) => {
        await flows.enableUser(deps, user.id, { client });
        return { lines: [`Enabled ${user.username}.`], json: { enabled: user.username } };
      }),
    );

  addCommand(users, "role", "Set a user's role in the console, or remove it.")
    .argument("<name>", "Login name of the user.")
    .addArgument(new Argument("<role>", "The role.").choices([...roles, "none"]))
    .option(...reasonOption)
    .action((name: string, role: string, options: ChangeOptions) =>
      runOnStore(context, options, async (store, config) => {
        requireOwnUsers(config);
        const deps = toFlowDeps(store, config);
        const { id } = await requireUser(deps, name);
        const patch = { role: isRole(role) ? role : null };
        const user = await flows.updateUser(deps, id, patch, { client: toOperator(options) });
        const line = user.role === null ? `${user.username} has no role.` : `${user.username} is ${user.role}.`;
        return { lines: [line], json: toUserJson(user) };
      }),
    );

  addCommand(users, "password", "Set a password and revoke all of the user's sessions.")
    .argument("<name>", "Login name of the user.")
    .option("--password-stdin", "Read the password from stdin, as one line.")
    .option(...reasonOption)
    .action((name: string, options: PasswordOptions) =>
      runOnStore(context, options, async (store, config) => {
        requireOwnUsers(config);
        const deps = toFlowDeps(store, config);
        const user = await requireUser(deps, name);
        const password = await readNewPassword(context, options.passwordStdin, (text) =>
          findPasswordFault(config.settings, text, user.username),
        );
        return toChange(
          "Set the password of",
          user,
          await flows.setPassword(deps, user.id, password, { client: toOperator(options) }),
        );
      }),
    );

  addCommand(users, "delete", "Delete a user and revoke all of the user's sessions.")
    .argument("<name>", "Login name of the user.")
    .option("--yes", "Don't ask for confirmation. Required without a terminal.")
    .option(...reasonOption)
    .action((name: string, options: DeleteOptions) =>
      runOnStore(context, options, async (store, config) => {
        const deps = toFlowDeps(store, config);
        const user = await requireUser(deps, name);
        if (!options.yes) await askToConfirm(context, `This deletes ${user.username} permanently.`);
        return toChange("Deleted", user, await flows.deleteUser(deps, user.id, { client: toOperator(options) }));
      }),
    );
}

type UserAction = (deps: FlowDeps, user: User, client: ClientInfo) => Promise<Output>;

/** Returns the action of a command: `action` on the user with the given name. */
function runOnUser(context: Context, action: UserAction) {
  return (name: string, options: ChangeOptions): Promise<void> =>
    runOnStore(context, options, async (store, config) => {
      const deps = toFlowDeps(store, config);
      return action(deps, await requireUser(deps, name), toOperator(options));
    });
}

function runCreate(context: Context, name: string, options: CreateOptions): Promise<void> {
  const { email, role = null } = options;
  return runOnStore(context, options, async (store, config) => {
    requireOwnUsers(config);
    const deps = toFlowDeps(store, config);
    requireUsername(name);
    if (email !== undefined) requireEmail(email);
    const taken = await flows.findUserByName(deps, name);
    if (taken !== null) throw nameTaken(taken.username);
    const password = await readNewPassword(context, options.passwordStdin, (text) =>
      findPasswordFault(config.settings, text, name),
    );
    const newUser = { username: name, password, role, ...(email === undefined ? {} : { email }) };
    const user = await flows.createUser(deps, newUser, { client: toOperator(options) });
    return { lines: [`Created user ${user.username} (id ${user.id}).`], json: toUserJson(user) };
  });
}

const nameTaken = (name: string) => new CommandError(`the user ${name} exists already; choose another name`);

const applicationsUsersNotice =
  "The application manages its users (findUser). This list has the ids of those who have logged in or were disabled.";

const noUsersNotice = "No users yet. Create one with `tokenpair users create NAME`.";

async function readUsers(store: Store): Promise<readonly User[]> {
  const users: User[] = [];
  for (let page: readonly User[] | null = null; page === null || page.length === pageSize; ) {
    const after = users.at(-1)?.id;
    page = await store.users.list({ limit: pageSize, ...(after === undefined ? {} : { after }) });
    users.push(...page);
  }
  return users;
}

function toUserTable(users: readonly User[], settings: Config["settings"]): readonly string[] {
  const rows = users.map((user) => [
    user.id,
    user.username || "-",
    user.email ?? "-",
    user.isActive ? "active" : "disabled",
    user.role ?? "-",
    toTime(user.createdAt),
    toLastLogin(user, settings),
  ]);
  return toTable(["ID", "NAME", "EMAIL", "STATE", "ROLE", "CREATED", "LAST LOGIN"], rows);
}

async function showUser(deps: FlowDeps, user: User): Promise<Output> {
  const sessions = await listSessions(deps, user.id);
  const account = await readAccountState(deps, toKeyOfUser(user.id));
  const fields = [
    ["id", user.id],
    ["name", user.username],
    ["email", user.email ?? "-"],
    ["state", user.isActive ? "active" : "disabled"],
    ["role", user.role ?? "-"],
    ["created", toTime(user.createdAt)],
    ["last login", toLastLogin(user, deps.settings)],
    ["sessions", String(sessions.length)],
    ["failures", toFailureText(account, user)],
  ] as const;
  return {
    lines: fields.map(([name, value]) => `${name.padEnd(10)}  ${withoutControls(value)}`),
    json: {
      ...toUserJson(user),
      sessions: sessions.length,
      login_failures: account.failures,
      locked_for: account.lockedFor,
    },
  };
}

/** Returns when the user last logged in. If logins aren't recorded, doesn't return "never", which would be wrong. */
function toLastLogin({ lastLoginAt }: User, { updateLastLogin }: Pick<Settings, "updateLastLogin">): string {
  return lastLoginAt === null && !updateLastLogin ? "not recorded" : toTime(lastLoginAt);
}

/** Returns the number of failed logins. If they lock the account, also returns for which devices, and what to do. */
function toFailureText({ failures, lockedFor }: AccountState, { username }: User): string {
  if (lockedFor === "none") return String(failures);
  const devices = lockedFor === "all_devices" ? "all devices" : "unknown devices";
  return `${failures}; locked for ${devices} until \`tokenpair users unlock ${username}\``;
}

function toChange(done: string, user: User, revoked: RevokedAndConfirmed): Output {
  const line = `${done} ${user.username}; revoked ${toCount(revoked.sessions, "session")}.`;
  return { lines: [line, ...toConfirmationLines(revoked)], json: toRevokedJson(revoked) };
}
