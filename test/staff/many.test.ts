import { once } from "node:events";
import { createServer, request as sendRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { consoleRoutes } from "../../src/adapters/node/index.ts";
import type { ListedAuditEntry, ListKey } from "../../src/core/store/staff.ts";
import { createStaffScene, type StaffScene } from "./setup.ts";

const isPostgres = inject("postgresUrl") !== undefined;

/** The most sessions that one request may revoke, and fewer if each login takes round trips. */
const many = isPostgres ? 400 : 10_000;

/** Enough to be disconnected in the middle. */
const some = 400;

const reason = "laptop stolen, ticket 4411";

let scene: StaffScene;
let ada: { id: string; access: string };
let bob: { id: string; access: string };
let url: string;
let close: () => Promise<void>;

beforeEach(async () => {
  scene = await createStaffScene({ maxSessionsPerUser: null });
  [ada, bob] = [await scene.addUser("ada", "admin"), await scene.addUser("bob")];
  const handle = consoleRoutes(scene.staff);
  // A pause of the machine must not close a connection that a request is about to use.
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => void handle(request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/admin`;
  close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
});
afterEach(async () => {
  await close();
  await scene.close();
});

/** Gives a user this many sessions. */
async function addSessions(count: number): Promise<void> {
  for (let made = 1; made < count; ) {
    const batch = Math.min(500, count - made);
    await Promise.all(Array.from({ length: batch }, () => scene.auth.issue(bob.id)));
    made += batch;
  }
}

const headers = () => ({ Authorization: `Bearer ${ada.access}`, "Content-Type": "application/json" });
const toBody = (expected: number) => JSON.stringify({ filter: { user: bob.id }, expected, reason });

async function readRevocations(): Promise<readonly ListedAuditEntry[]> {
  const found: ListedAuditEntry[] = [];
  let from: ListKey | null = null;
  do {
    const part = { from, isBackward: false, limit: 1_000, scan: 100_000 };
    const { rows, end } = await scene.store.staff.audit({ types: ["sessions_revoked"] }, part);
    found.push(...rows.map(({ row }) => row));
    from = end;
  } while (from !== null);
  return found;
}

/** Checks that every session was revoked once, with one entry. */
async function expectEachOnce(count: number): Promise<void> {
  const entries = await readRevocations();
  expect(entries).toHaveLength(count);
  expect(new Set(entries.map(({ sessionId }) => sessionId)).size).toBe(count);
  expect(entries.every(({ actor, note }) => actor === "staff/ada" && note === reason)).toBe(true);
  expect(await scene.auth.sessions.list(bob.id)).toEqual([]);
}

describe("sessions/revoke/", () => {
  it(`answers other requests while it revokes ${many} sessions, and has one entry for each`, async () => {
    await addSessions(many);
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const startedAt = performance.now();
    let isOver = false;
    const revoking = fetch(`${url}/sessions/revoke/`, { method: "POST", headers: headers(), body: toBody(many) }).then(
      async (response) => {
        isOver = true;
        return [response.status, await response.json()];
      },
    );
    let answers = 0;
    // Far below the limit of reads.
    while (!isOver && answers < 200) {
      const response = await fetch(`${url}/me/`, { headers: headers() });
      expect(response.status).toBe(200);
      await response.body?.cancel();
      if (!isOver) answers++;
    }
    expect(await revoking).toEqual([200, { sessions: many, confirmed: "acks" }]);
    delay.disable();
    console.log(
      `${many} sessions in ${Math.round(performance.now() - startedAt)} ms, ${answers} other requests answered; event loop ` +
        `blocked at most ${(delay.max / 1e6).toFixed(0)} ms, p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`,
    );
    // If nothing else had a turn, at most the one that was already being answered would be.
    expect(answers).toBeGreaterThan(isPostgres ? 2 : 10);
    await expectEachOnce(many);
  });

  it("finishes if the client disconnects in the middle, and can be repeated", async () => {
    await addSessions(some);
    let revoked = 0;
    const sent = sendRequest(`${url}/sessions/revoke/`, { method: "POST", headers: headers() });
    const failed = once(sent, "error");
    scene.auth.on((event) => {
      if (event.type === "sessions_revoked" && ++revoked === 50) sent.destroy(new Error("the client has gone"));
    });
    sent.end(toBody(some));
    await failed;
    expect(revoked).toBeLessThan(some);
    await expect.poll(async () => (await scene.auth.sessions.list(bob.id)).length).toBe(0);
    await expectEachOnce(some);
    const again = await scene.call(ada.access, "POST", "sessions/revoke/", JSON.parse(toBody(some)));
    expect([again.status, again.body]).toEqual([200, { sessions: 0, confirmed: null }]);
    await expectEachOnce(some);
  });
});
