/**
 * For how long the event loop of a server stands still when a user with 100,000 sessions logs the others out, changes the
 * password or is disabled, over SQLite, which runs on the event loop.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { type Auth, createAuth } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import type { Harness } from "../harness/harness.ts";
import { toFigure } from "../harness/markdown.ts";
import { signingKey } from "../refresh/crowd.ts";

const password = "correct horse battery staple";
const newPassword = "a much better battery";

interface Owner {
  readonly userId: string;
  readonly sessionId: string;
}

const acts: Readonly<Record<string, (auth: Auth, owner: Owner) => Promise<unknown>>> = {
  "log the others out": (auth, owner) => auth.logout(owner, { scope: "others" }),
  "change the password": (auth, owner) => auth.changePassword({ ...owner, currentPassword: password, newPassword }),
  "set the password": (auth, { userId }) => auth.users.setPassword(userId, newPassword),
  "disable the user": (auth, { userId }) => auth.users.disable(userId),
  "delete the user": (auth, { userId }) => auth.users.delete(userId),
  "revoke the user's sessions": (auth, { userId }) => auth.sessions.revokeAllForUser(userId),
  "revoke all sessions": (auth) => auth.sessions.revokeAll(),
};

export async function measureStalls(harness: Harness): Promise<void> {
  const sessions = harness.quick ? 10_000 : 100_000;
  const rows: string[][] = [];
  for (const [name, act] of Object.entries(acts)) rows.push([name, ...(await measureStall(sessions, act))]);
  harness.table(
    `Longest stall of the event loop: a user with ${toFigure(sessions)} sessions over SQLite`,
    ["", "stall ms", "answered after ms", "every row done after ms"],
    rows,
  );
}

async function measureStall(sessions: number, act: (auth: Auth, owner: Owner) => Promise<unknown>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "tokenpair-bench-"));
  const path = join(folder, "auth.db");
  const store = sqliteStore(path);
  await store.migrate();
  const cheapHashes = { passwordMemoryCost: 64, passwordTimeCost: 1 };
  const auth = createAuth({ store, signingKey, maxSessionsPerUser: null, ...cheapHashes });
  try {
    await auth.ready();
    const { id: userId } = await auth.users.create({ username: "alice", password });
    const { session } = await auth.issue(userId);
    const database = new DatabaseSync(path);
    multiply(database, sessions);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    await setTimeout(100);
    // What was built before doesn't count. The first interval after a reset isn't recorded.
    delay.reset();
    await setTimeout(20);
    const startedAt = performance.now();
    await act(auth, { userId, sessionId: session.id });
    const answered = performance.now() - startedAt;
    const done = await waitUntilStill(database, startedAt);
    delay.disable();
    database.close();
    return [delay.max / 1e6, answered, done].map(toFigure);
  } finally {
    await auth.close();
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

/** Copies the only session until there are so many. */
function multiply(database: DatabaseSync, sessions: number): void {
  const columns = database
    .prepare("SELECT name FROM pragma_table_info('sessions') WHERE name <> 'id'")
    .all()
    .map((row) => String(row["name"]))
    .join(", ");
  database.exec(`WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ${sessions})
    INSERT INTO sessions (id, ${columns}) SELECT 's' || i, ${columns} FROM sessions, n`);
}

/** Waits until no other connection writes any more. @returns the milliseconds from `startedAt` until the last write. */
async function waitUntilStill(database: DatabaseSync, startedAt: number): Promise<number> {
  const version = database.prepare("PRAGMA data_version");
  const read = () => version.get()?.["data_version"];
  let [last, changedAt] = [read(), performance.now()];
  while (performance.now() - changedAt < 500) {
    await setTimeout(5);
    const current = read();
    if (current !== last) [last, changedAt] = [current, performance.now()];
  }
  return changedAt - startedAt;
}
