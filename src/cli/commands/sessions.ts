import type { Command } from "commander";
import type { Session } from "../../core/session.ts";
import type { Store } from "../../core/store.ts";
import type { Config } from "../../server/config.ts";
import { confirm } from "../ask.ts";
import { addCommand, type CommonOptions, type Output, runOnStore } from "../command.ts";
import type { Context } from "../context.ts";
import { toCount, toTable, toTime } from "../format.ts";
import { Refused } from "../refused.ts";
import { requireUser, toUserDeps } from "../user-deps.ts";
import { toSessionJson } from "../views.ts";

interface ListOptions extends CommonOptions {
  readonly user?: string;
}

interface RevokeOptions extends ListOptions {
  readonly all?: true;
  readonly yes?: true;
}

/** The most that is listed at once. */
const listLimit = 1000;

export function addSessions(program: Command, context: Context): void {
  const sessions = program.command("sessions").description("list and end sessions");

  addCommand(sessions, "list", "list the live sessions, newest first")
    .option("--user <name>", "only this user's")
    .action((options: ListOptions) =>
      runOnStore(context, options, (store, config) => listSessions(store, config, options)),
    );

  addCommand(sessions, "revoke", "end one session, a user's, or all; their access tokens end too, at once")
    .argument("[session-id]", "the session to end")
    .option("--user <name>", "end all sessions of this user")
    .option("--all", "end every session there is")
    .option("--yes", "do not ask")
    .action(async (sessionId: string | undefined, options: RevokeOptions, command: Command) => {
      const targets = [sessionId, options.user, options.all].filter((target) => target !== undefined);
      if (targets.length !== 1) command.error("error: give one of SESSION-ID, --user NAME and --all");
      if (options.all && !options.yes) await confirm(context, "This logs everybody out.");
      await runOnStore(context, options, (store, config) => {
        if (sessionId !== undefined) return revokeOne(store, sessionId);
        return options.user === undefined ? revokeAll(store) : revokeOfUser(store, config, options.user);
      });
    });
}

async function listSessions(store: Store, config: Config, { user }: ListOptions): Promise<Output> {
  const owner = user === undefined ? {} : { userId: (await requireUser(toUserDeps(store, config), user)).id };
  const { sessions } = await store.sessions.list({ limit: listLimit, ...owner });
  if (sessions.length === 0) return { lines: ["There are no live sessions."], json: { sessions: [] } };
  const names = await findNames(store, sessions);
  const table = toTable(
    ["SESSION", "USER", "CREATED", "LAST USED", "EXPIRES", "IP", "DEVICE"],
    sessions.map((session) => [
      session.id,
      names.get(session.userId) ?? session.userId,
      toTime(session.createdAt),
      toTime(session.lastUsedAt),
      toTime(session.idleExpiresAt),
      session.ip ?? "-",
      session.label ?? session.userAgent?.slice(0, 40) ?? "-",
    ]),
  );
  const rest = sessions.length < listLimit ? [] : [`These are the newest ${listLimit}; see fewer with --user NAME.`];
  return { lines: [...table, ...rest], json: { sessions: sessions.map(toSessionJson) } };
}

/** The usernames of the sessions' users, by id. */
async function findNames(store: Store, sessions: readonly Session[]): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const id of new Set(sessions.map(({ userId }) => userId))) {
    const username = (await store.users.findById(id))?.username;
    if (username) names.set(id, username);
  }
  return names;
}

async function revokeOne(store: Store, sessionId: string): Promise<Output> {
  const { sessions } = await store.sessions.revoke(sessionId, "revoked");
  if (sessions === 0) throw new Refused("there is no such live session; see them with `tokenpair sessions list`");
  return { lines: [`Ended session ${sessionId}.`], json: { ended: sessions } };
}

async function revokeOfUser(store: Store, config: Config, name: string): Promise<Output> {
  const user = await requireUser(toUserDeps(store, config), name);
  const { sessions } = await store.sessions.revokeOfUser(user.id, "revoked");
  return { lines: [`Ended ${toCount(sessions, "session")} of ${user.username}.`], json: { ended: sessions } };
}

async function revokeAll(store: Store): Promise<Output> {
  const { sessions } = await store.sessions.revokeAll("revoked");
  return {
    lines: [`Ended ${toCount(sessions, "session")}, which was all; every access token issued until now is refused.`],
    json: { ended: sessions },
  };
}
