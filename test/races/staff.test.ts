import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ListedAuditEntry } from "../../src/core/store/staff.ts";
import { toKeyOfUser } from "../../src/flows/throttling/unlock.ts";
import { hasLongTests } from "../support/long-tests.ts";
import { longTimeoutVariables } from "../support/long-timeouts.ts";
import { type Nodes, openNodes } from "../support/nodes.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { chaosFactor } from "./factor.ts";

const minute = 60_000;

/** How long servers are killed again and again, in milliseconds: a bound, so that a slow machine only sees fewer kills. */
const duration = 9_000 * chaosFactor;

/** Each member may send 60 changes a minute to a server. */
const members = 12;

/** One change of one user or session, and what must be in the database if it was made. */
interface Change {
  /** The reason, which names the change. */
  readonly note: string;
  readonly actor: string;
  /** The types of the entries that its transaction writes. */
  readonly types: readonly string[];
  /** Returns whether an entry is about the subject of the change: one request can have several. */
  readonly isAbout: (entry: ListedAuditEntry) => boolean;
  readonly isDone: () => Promise<boolean>;
  /** Whether the request was answered with 200. */
  isAnswered: boolean;
}

/** A request of a member, and the changes that it makes. */
interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: object;
  readonly changes: readonly Pick<Change, "types" | "isAbout" | "isDone">[];
}

const databases = hasLongTests ? (["SQLite", "PostgreSQL"] as const) : (["PostgreSQL"] as const);

describe.each(databases)("changes of the staff over %s, while the server is killed", (database) => {
  let nodes: Nodes;
  let actors: readonly { readonly name: string; readonly access: string }[];

  beforeAll(async () => {
    // Without a wait for the killed ones, more kills fall into transactions.
    const env = { TOKENPAIR_CONSOLE: "true", TOKENPAIR_CONFIRM_TIMEOUT: "0", ...longTimeoutVariables };
    nodes = await openNodes({ database, servers: 1, env });
    actors = await Promise.all(
      Array.from({ length: members }, async (_, n) => {
        const name = `admin${n}`;
        const { id } = await nodes.auth.users.create({ username: name, role: "admin", password: "a long password" });
        return { name, access: (await nodes.auth.issue(id)).access };
      }),
    );
  }, 5 * minute);
  afterAll(() => nodes.close(), 5 * minute);

  /** The ways to change something, each with a target of its own. */
  const kinds: readonly ((name: string) => Promise<Sent>)[] = [
    async (name) => {
      const { id } = await addTarget(name);
      const email = `${name}@example.org`;
      const isDone = async () => (await nodes.auth.users.find(id))?.email === email;
      return ofUser(id, "PATCH", `users/${id}/`, { email }, ["user_changed"], isDone);
    },
    async (name) => {
      const { id } = await addTarget(name);
      const isDone = async () => (await nodes.auth.users.find(id))?.role === "viewer";
      return ofUser(id, "PATCH", `users/${id}/`, { role: "viewer" }, ["user_changed"], isDone);
    },
    async (name) => {
      const { id } = await addTarget(name);
      const isDone = async () => (await nodes.auth.users.find(id))?.isActive === false;
      return ofUser(id, "POST", `users/${id}/disable/`, {}, ["user_changed", "sessions_revoked"], isDone);
    },
    async (name) => {
      const { id } = await addTarget(name);
      await nodes.auth.users.disable(id);
      const isDone = async () => (await nodes.auth.users.find(id))?.isActive === true;
      return ofUser(id, "POST", `users/${id}/enable/`, {}, ["user_changed"], isDone);
    },
    async (name) => {
      const { id } = await addTarget(name);
      const types = ["user_changed", "sessions_revoked"];
      const isDone = async () => (await nodes.auth.sessions.list(id)).length === 0;
      return ofUser(id, "POST", `users/${id}/set-password/`, { generate: true }, types, isDone);
    },
    async (name) => {
      const { id } = await addTarget(name);
      const isDone = async () => (await nodes.auth.users.find(id)) === null;
      return ofUser(id, "DELETE", `users/${id}/`, { username: name }, ["user_changed", "sessions_revoked"], isDone);
    },
    async (name) => {
      const { id } = await addTarget(name);
      const isDone = async () => (await nodes.auth.sessions.list(id)).length === 0;
      return ofUser(id, "POST", `users/${id}/logout/`, {}, ["sessions_revoked"], isDone);
    },
    async (name) => {
      const { id } = await addTarget(name);
      await failLogin(name);
      const isDone = async () => (await readFailures(id)) === 0;
      return ofUser(id, "POST", `users/${id}/unlock/`, {}, ["unlocked"], isDone);
    },
    async (name) => {
      const { sessionId } = await addTarget(name);
      return { method: "DELETE", path: `sessions/${sessionId}/`, body: {}, changes: [ofSession(sessionId)] };
    },
    async (name) => {
      const { id, sessionId } = await addTarget(name);
      const others = [await addSession(id), await addSession(id)];
      const body = { filter: { user: id }, expected: 3 };
      return { method: "POST", path: "sessions/revoke/", body, changes: [sessionId, ...others].map(ofSession) };
    },
    async (name) => {
      const ids = await Promise.all([0, 1, 2].map(async (n) => (await addTarget(`${name}-${n}`)).id));
      const changes = ids.map((id) => ({
        types: ["user_changed", "sessions_revoked"],
        isAbout: ({ userId }: ListedAuditEntry) => userId === id,
        isDone: async () => (await nodes.auth.users.find(id))?.isActive === false,
      }));
      return { method: "POST", path: "users/bulk/", body: { action: "disable", ids }, changes };
    },
    async (name) => {
      const isDone = async () => (await nodes.auth.users.findByName(name)) !== null;
      const changes = [{ types: ["user_changed"], isAbout: () => true, isDone }];
      return { method: "POST", path: "users/", body: { username: name, role: "support" }, changes };
    },
    async (name) => {
      const { token } = await addTarget(name);
      const isDone = () => nodes.store.feed.isRevoked(token);
      const changes = [{ types: ["token_revoked"], isAbout: () => true, isDone }];
      return { method: "POST", path: "tokens/revoke/", body: { jti: token.tokenId }, changes };
    },
  ];

  it(
    "have exactly one entry with actor and reason each, or were not made",
    async () => {
      const changes: Change[] = [];
      const endsAt = Date.now() + duration;
      let [server] = nodes.servers as readonly [ServerProcess];
      let kills = 0;
      let prepared = await prepare("round0");
      while (kills < 2 || Date.now() < endsAt || changes.every(({ isAnswered }) => isAnswered)) {
        const ofRound = prepared.flatMap(({ own }) => own);
        changes.push(...ofRound);
        const killAt = randomInt(1, prepared.length);
        let answers = 0;
        let kill: Promise<void> | undefined;
        await Promise.all(
          prepared.map(async ({ sent, own, access }) => {
            const status = await send(server, access, sent, own[0]?.note ?? "");
            if (status !== null) expect([sent.method, sent.path, status]).toEqual([sent.method, sent.path, 200]);
            for (const change of own) change.isAnswered = status === 200;
            answers++;
            if (answers === killAt) kill = sleep(randomInt(0, 6)).then(() => server.kill());
          }),
        );
        await kill;
        kills++;
        [server, prepared] = await Promise.all([nodes.start(server.port), prepare(`round${kills}`)]);
      }
      const entries = await readEntries();
      const figures = { answered: 0, silent: 0, notMade: 0 };
      for (const { note, actor, types, isAbout, isDone, isAnswered } of changes) {
        const own = entries.filter((entry) => entry.note === note && isAbout(entry));
        const wasMade = await isDone();
        const expected = wasMade ? types : [];
        expect([note, own.map(({ type }) => type).sort()]).toEqual([note, [...expected].sort()]);
        expect(own.every((entry) => entry.actor === actor)).toBe(true);
        if (isAnswered) expect([note, wasMade]).toEqual([note, true]);
        figures[isAnswered ? "answered" : wasMade ? "silent" : "notMade"]++;
      }
      console.log(
        `staff over ${database}: ${kills} kills, ${changes.length} changes: ${figures.answered} answered, ` +
          `${figures.silent} made without an answer, ${figures.notMade} not made`,
      );
      expect(figures.answered).toBeGreaterThan(0);
      expect(figures.silent + figures.notMade).toBeGreaterThan(0);
    },
    5 * minute * chaosFactor,
  );

  /** Prepares each kind of change for several members. */
  async function prepare(round: string) {
    const each = kinds.flatMap((kind, k) => [0, 1].map((n) => ({ kind, name: `${round}-kind${k}-${n}` })));
    return Promise.all(
      each.map(async ({ kind, name }, n) => {
        const { name: actor = "", access = "" } = actors[n % members] ?? {};
        const sent = await kind(name);
        const own = sent.changes.map((change) => ({
          ...change,
          note: `reason of ${name}`,
          actor: `staff/${actor}`,
          isAnswered: false,
        }));
        return { sent, own, access };
      }),
    );
  }

  /** Returns the status, or `null` if there was no answer. */
  async function send({ url }: ServerProcess, access: string, { method, path, body }: Sent, reason: string) {
    try {
      const response = await fetch(`${url}/api/admin/${path}`, {
        method,
        headers: { Authorization: `Bearer ${access}`, "Content-Type": "application/json" },
        body: JSON.stringify({ ...body, reason }),
      });
      await response.text();
      return response.status;
    } catch {
      return null;
    }
  }

  async function addTarget(username: string) {
    const { id } = await nodes.auth.users.create({ username });
    const { access } = await nodes.auth.issue(id);
    const token = await nodes.auth.authenticate(new Headers({ Authorization: `Bearer ${access}` }), {
      method: "GET",
    });
    return { id, sessionId: token.sessionId, token };
  }

  async function addSession(userId: string): Promise<string> {
    const { access } = await nodes.auth.issue(userId);
    return (await nodes.auth.authenticate(new Headers({ Authorization: `Bearer ${access}` }), { method: "GET" }))
      .sessionId;
  }

  function ofUser(
    id: string,
    ...[method, path, body, types, isDone]: [string, string, object, readonly string[], () => Promise<boolean>]
  ): Sent {
    return { method, path, body, changes: [{ types, isDone, isAbout: ({ userId }) => userId === id }] };
  }

  function ofSession(id: string): Sent["changes"][number] {
    return {
      types: ["sessions_revoked"],
      isAbout: ({ sessionId }) => sessionId === id,
      isDone: async () => (await nodes.store.sessions.find(id))?.session.revokedAt !== null,
    };
  }

  async function failLogin(username: string): Promise<void> {
    await nodes.auth.login({ username, password: "wrong password" }).catch(() => {});
  }

  async function readEntries(): Promise<readonly ListedAuditEntry[]> {
    const found: ListedAuditEntry[] = [];
    let from: readonly (string | number)[] | null = null;
    do {
      const part = { from, isBackward: false, limit: 1_000, scan: 1_000_000 };
      const { rows, end } = await nodes.store.staff.audit({ hasActor: true }, part);
      found.push(...rows.map(({ row }) => row));
      from = end;
    } while (from !== null);
    return found;
  }

  async function readFailures(userId: string): Promise<number> {
    const key = toKeyOfUser(userId);
    return nodes.store.throttle.decide([key], ({ counts }) => ({ result: counts.size, changes: new Map() }));
  }
});
