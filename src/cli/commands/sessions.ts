import type { Command } from "commander";
import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import type { Store } from "../../core/store/index.ts";
import { toCount, toTime } from "../../core/text.ts";
import * as flows from "../../flows/sessions/sessions.ts";
import type { UserDeps } from "../../flows/users/users.ts";
import { askToConfirm } from "../ask.ts";
import { addCommand, type CommonOptions, type Output, runOnStore } from "../command.ts";
import type { Context } from "../context.ts";
import { CommandError } from "../errors.ts";
import { requireOwner } from "../find-users.ts";
import { toFlowDeps } from "../flow-deps.ts";
import { toConfirmationLines, toRevokedJson, toTable } from "../format.ts";
import { reasonOption, toOperator } from "../operator.ts";
import { toSessionJson } from "../views.ts";

interface ListOptions extends CommonOptions {
  readonly user?: string;
}

interface RevokeOptions extends ListOptions {
  readonly reason?: string;
  readonly all?: true;
  readonly yes?: true;
}

type Deps = UserDeps & flows.SessionDeps;

/** Adds the command `sessions`. */
export function addSessions(program: Command, context: Context): void {
  const sessions = program.command("sessions").description("List and revoke sessions.");

  addCommand(sessions, "list", "List live sessions, newest first.")
    .option("--user <name>", "Only the sessions of this user, by name or id.")
    .action((options: ListOptions) =>
      runOnStore(context, options, (store, config) => listSessions(toFlowDeps(store, config), options)),
    );

  addCommand(
    sessions,
    "revoke",
    "Revoke one session, all of a user's sessions, or all sessions, with their access tokens.",
  )
    .argument("[session-id]", "Session to revoke.")
    .option("--user <name>", "Revoke all sessions of this user, by name or id.")
    .option("--all", "Revoke all sessions.")
    .option("--yes", "Don't ask for confirmation. Required without a terminal.")
    .option(...reasonOption)
    .action(async (sessionId: string | undefined, options: RevokeOptions, command: Command) => {
      const targets = [sessionId, options.user, options.all].filter((target) => target !== undefined);
      if (targets.length !== 1) command.error("error: give one of SESSION_ID, --user NAME and --all");
      if (options.all && !options.yes) await askToConfirm(context, "This logs all users out.");
      await runOnStore(context, options, (store, config) => {
        const deps = toFlowDeps(store, config);
        const client = toOperator(options);
        if (sessionId !== undefined) return revokeOne(deps, sessionId, client);
        return options.user === undefined ? revokeAll(deps, client) : revokeForUser(deps, options.user, client);
      });
    });
}

async function listSessions(deps: Deps, { user }: ListOptions): Promise<Output> {
  const owner = user === undefined ? undefined : await requireOwner(deps, user);
  const sessions = await flows.listSessions(deps, owner?.id);
  if (sessions.length === 0) return { lines: ["No live sessions."], json: { sessions: [] } };
  const names = await findNames(deps.store, sessions);
  const table = toTable(
    ["SESSION", "USER", "CREATED", "LAST USED", "EXPIRES", "IP", "DEVICE"],
    sessions.map((session) => [
      session.id,
      `${names.get(session.userId) ?? session.userId}${session.actor === null ? "" : ` (by ${session.actor})`}`,
      toTime(session.createdAt),
      toTime(session.lastUsedAt),
      toTime(session.expiresAt),
      session.ip ?? "-",
      session.label ?? session.userAgent?.slice(0, 40) ?? "-",
    ]),
  );
  const limit = flows.maxListedSessions;
  const notice =
    sessions.length < limit ? [] : [`Only the newest ${limit} are shown; narrow the list with --user NAME.`];
  return { lines: [...table, ...notice], json: { sessions: sessions.map(toSessionJson) } };
}

/** Returns the usernames of the sessions' users, by user id. */
async function findNames(store: Store, sessions: readonly flows.SessionView[]): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const id of new Set(sessions.map(({ userId }) => userId))) {
    const username = (await store.users.findById(id))?.username;
    if (username) names.set(id, username);
  }
  return names;
}

async function revokeOne(deps: Deps, sessionId: string, client: ClientInfo): Promise<Output> {
  try {
    const revoked = await flows.revokeSession(deps, sessionId, { client });
    const lines = [`Revoked session ${sessionId}.`, ...toConfirmationLines(revoked)];
    return { lines, json: { revoked: 1, ...revoked } };
  } catch (error) {
    if (!(error instanceof AuthError) || error.code !== "session_not_found") throw error;
    throw new CommandError("no live session with this id; list them with `tokenpair sessions list`");
  }
}

async function revokeForUser(deps: Deps, name: string, client: ClientInfo): Promise<Output> {
  const owner = await requireOwner(deps, name);
  const revoked = await flows.revokeSessionsForUser(deps, owner.id, { client });
  const lines = [`Revoked ${toCount(revoked.sessions, "session")} of ${owner.name}.`, ...toConfirmationLines(revoked)];
  return { lines, json: toRevokedJson(revoked) };
}

async function revokeAll(deps: Deps, client: ClientInfo): Promise<Output> {
  const revoked = await flows.revokeAllSessions(deps, { client });
  const lines = [`Revoked all sessions (${revoked.sessions}) and all access tokens issued until now.`];
  return { lines: [...lines, ...toConfirmationLines(revoked)], json: toRevokedJson(revoked) };
}
