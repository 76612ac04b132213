import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { createFolder } from "../server/folder.ts";
import { runCommand } from "../support/run-command.ts";

const oneDay = 86_400;

/** Creates a database with `expired` sessions that expired long ago, and a live one. */
async function createDatabase(expired: number): Promise<string> {
  const path = join(createFolder(), "tokenpair.db");
  const now = Math.floor(Date.now() / 1000);
  let time = now - 400 * oneDay;
  const store = sqliteStore({ path, now: () => time });
  await store.migrate();
  const named = { username: "alice", usernameKey: "alice", email: null, role: null, passwordHash: null };
  const created = await store.users.create(named);
  const userId = created.outcome === "created" ? created.user.id : "";
  const create = (id: string) =>
    store.sessions.create({
      id,
      userId,
      userEpoch: 0,
      currentHash: new Uint8Array(32),
      idleLifetime: oneDay,
      absoluteLifetime: oneDay,
      persistent: true,
      userAgent: null,
      ip: null,
      updateLastLogin: false,
      accessLifetime: 1_800,
      maxSessions: null,
    });
  for (let i = 0; i < expired; i += 1) await create(`expired-${i}`);
  if (expired > 0) await store.sessions.revoke("expired-0", "logout");
  time = now;
  await create("live");
  await store.close();
  return path;
}

const flush = (path: string, isTTY: boolean) =>
  runCommand(["flushexpiredtokens", "--json", "--database", `sqlite:${path}`], { isTTY });

describe("flushexpiredtokens", () => {
  it("deletes every expired session and old revocation, in batches, but no live session", async () => {
    const path = await createDatabase(1_500);
    expect(await flush(path, false)).toEqual({
      exit: 0,
      stdout: '{"sessions":1500,"revocations":1,"failures":0,"audit_entries":0,"legacy_tokens":0,"login_tickets":0}\n',
      stderr: "",
    });
    const store = sqliteStore(path);
    expect((await store.sessions.list({ limit: 10 })).sessions.map(({ id }) => id)).toEqual(["live"]);
    await store.close();
    expect((await flush(path, false)).stdout).toBe(
      '{"sessions":0,"revocations":0,"failures":0,"audit_entries":0,"legacy_tokens":0,"login_tickets":0}\n',
    );
  });

  it("keeps revocations for a day longer than the longest possible access token lives, whatever the settings", async () => {
    const path = await createDatabase(0);
    const revoke = async (secondsAgo: number) => {
      const store = sqliteStore({ path, now: () => Math.floor(Date.now() / 1000) - secondsAgo });
      await store.feed.revokeToken(`revoked ${secondsAgo} s ago`);
      await store.close();
    };
    await revoke(oneDay);
    await revoke(2 * oneDay + 60);
    expect((await flush(path, false)).stdout).toBe(
      '{"sessions":0,"revocations":1,"failures":0,"audit_entries":0,"legacy_tokens":0,"login_tickets":0}\n',
    );
  });

  it("shows its progress on a terminal", async () => {
    const { stdout, stderr } = await flush(await createDatabase(1_001), true);
    expect(stderr).toContain("1000 sessions, 1 revocation, 0 counters of failed logins and 0 audit entries so far");
    expect(stdout).toBe(
      '{"sessions":1001,"revocations":1,"failures":0,"audit_entries":0,"legacy_tokens":0,"login_tickets":0}\n',
    );
  });
});
