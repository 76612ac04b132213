import type { Command } from "commander";
import { AuthError } from "../../core/errors.ts";
import type { Store } from "../../core/store/index.ts";
import * as flows from "../../flows/sessions.ts";
import type { UserDeps } from "../../flows/users.ts";
import { confirm } from "../ask.ts";
import { addCommand, type CommonOptions, type Output, runOnStore } from "../command.ts";
import type { Context } from "../context.ts";
import { requireOwner, toFlowDeps } from "../flow-deps.ts";
import { toCount, toTable, toTime } from "../format.ts";
import { operator } from "../operator.ts";
import { Refused } from "../refused.ts";
import { toSessionJson } from "../views.ts";

interface ListOptions extends CommonOptions {
  readonly user?: string;
}

interface RevokeOptions extends ListOptions {
  readonly all?: true;
  readonly yes?: true;
}

type Deps = UserDeps & flows.SessionDeps;

export function addSessions(program: Command, context: Context): void {
  const sessions = program.command("sessions").description("list and end sessions");

  addCommand(sessions, "list", "list the live sessions, newest first")
    .option("--user <name>", "only this user's: the name, or the application's id")
    .action((options: ListOptions) =>
      runOnStore(context, options, (store, config) => listSessions(toFlowDeps(store, config), options)),
    );

  addCommand(sessions, "revoke", "end one session, a user's, or all; their access tokens end too, at once")
    .argument("[session-id]", "the session to end")
    .option("--user <name>", "end all sessions of this user: the name or the id")
    .option("--all", "end every session there is")
    .option("--yes", "do not ask; needed where there is no terminal")
    .action(async (sessionId: string | undefined, options: RevokeOptions, command: Command) => {
      const targets = [sessionId, options.user, options.all].filter((target) => target !== undefined);
      if (targets.length !== 1) command.error("error: give one of SESSION-ID, --user NAME and --all");
      if (options.all && !options.yes) await confirm(context, "This logs everybody out.");
      await runOnStore(context, options, (store, config) => {
        const deps = toFlowDeps(store, config);
        if (sessionId !== undefined) return revokeOne(deps, sessionId);
        return options.user === undefined ? revokeAll(deps) : revokeForUser(deps, options.user);
      });
    });
}

async function listSessions(deps: Deps, { user }: ListOptions): Promise<Output> {
  const owner = user === undefined ? undefined : await requireOwner(deps, user);
  const sessions = await flows.listSessions(deps, owner?.id);
  if (sessions.length === 0) return { lines: ["There are no live sessions."], json: { sessions: [] } };
  const names = await findNames(deps.store, sessions);
  const table = toTable(
    ["SESSION", "USER", "CREATED", "LAST USED", "EXPIRES", "IP", "DEVICE"],
    sessions.map((session) => [
      session.id,
      names.get(session.userId) ?? session.userId,
      toTime(session.createdAt),
      toTime(session.lastUsedAt),
      toTime(session.expiresAt),
      session.ip ?? "-",
      session.label ?? session.userAgent?.slice(0, 40) ?? "-",
    ]),
  );
  const limit = flows.maxListedSessions;
  const rest = sessions.length < limit ? [] : [`These are the newest ${limit}; see fewer with --user NAME.`];
  return { lines: [...table, ...rest], json: { sessions: sessions.map(toSessionJson) } };
}

/** The usernames of the sessions' users, by id. */
async function findNames(store: Store, sessions: readonly flows.SessionView[]): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const id of new Set(sessions.map(({ userId }) => userId))) {
    const username = (await store.users.findById(id))?.username;
    if (username) names.set(id, username);
  }
  return names;
}

async function revokeOne(deps: Deps, sessionId: string): Promise<Output> {
  try {
    await flows.revokeSession(deps, sessionId, { client: operator });
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    throw new Refused("there is no such live session; see them with `tokenpair sessions list`");
  }
  return { lines: [`RevokedSessions session ${sessionId}.`], json: { ended: 1 } };
}

async function revokeForUser(deps: Deps, name: string): Promise<Output> {
  const owner = await requireOwner(deps, name);
  const { sessions } = await flows.revokeSessionsForUser(deps, owner.id, operator);
  return { lines: [`RevokedSessions ${toCount(sessions, "session")} of ${owner.name}.`], json: { ended: sessions } };
}

async function revokeAll(deps: Deps): Promise<Output> {
  const { sessions } = await flows.revokeAllSessions(deps, operator);
  return {
    lines: [
      `RevokedSessions ${toCount(sessions, "session")}, which was all; every access token issued until now is refused.`,
    ],
    json: { ended: sessions },
  };
}
