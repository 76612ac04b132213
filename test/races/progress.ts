import { setTimeout as sleep } from "node:timers/promises";
import type { Store } from "../../src/core/store/index.ts";
import type { Nodes } from "../support/nodes.ts";
import type { Recorder } from "../support/recorder.ts";

/** Returns a function that counts the requests with an outcome so far. */
export const countOf = (recorder: Recorder) => (outcome: string) =>
  recorder.count((entry) => "outcome" in entry && entry.outcome === outcome);

/** Waits for `more` rotations. Counts progress instead of time, so a slow machine only takes longer. */
export async function untilRotated(recorder: Recorder, more: number): Promise<void> {
  const count = countOf(recorder);
  const enough = count("rotated") + more;
  while (count("rotated") < enough) await sleep(20);
}

/** Asks until there is an answer other than 503, which a timeout of the database can cause on a busy machine. */
export async function untilAnswered<T extends { readonly status: number }>(ask: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer.status !== 503) return answer;
    await sleep(50);
  }
}

/** Waits until the traffic has caused something that each invariant applies to. I5 and I9 are judged from rows alone. */
export async function untilJudged(recorder: Recorder): Promise<void> {
  const endsAt = performance.now() + 300_000;
  const isOpen = () =>
    [...recorder.check().judged].some(([invariant, times]) => times === 0 && invariant !== "I5" && invariant !== "I9");
  while (isOpen()) {
    if (performance.now() > endsAt) throw new Error("the traffic didn't cause what every invariant applies to");
    await sleep(200);
  }
}

/** Records every session as it is in the database, and its entries in the audit log. */
export async function recordDatabase({ store }: Nodes, recorder: Recorder): Promise<void> {
  await recordRows(store, recorder);
  const { entries } = await store.audit.read({ after: null, limit: 1_000_000 });
  for (const { type, sessionId, reason, details } of entries) {
    if (sessionId === null) continue;
    if (type === "login") recorder.audit("login", sessionId);
    if (type === "refresh" && details["outcome"] === "reuse_detected") recorder.audit("reuse_detected", sessionId);
    if (type === "refresh" && details["outcome"] === "rotated") {
      recorder.audit("rotation", sessionId, details["generation"] as number);
    }
    if (type === "sessions_revoked" && reason === "logout") recorder.audit("logout", sessionId);
  }
}

async function recordRows(store: Store, recorder: Recorder): Promise<void> {
  const sessions = new Set<string>();
  const users = new Set<string>();
  for (let after: string | null = null, more = true; more; ) {
    const batch = await store.feed.read({ after, since: 0, nodeId: null, beat: false, timeout: null });
    for (const entry of batch.revocations) {
      if (entry.kind === "session") sessions.add(entry.sessionId);
      if (entry.kind === "user") users.add(entry.userId);
    }
    ({ more, cursor: after } = batch);
  }
  for (const sid of recorder.sessions()) {
    const found = await store.sessions.find(sid);
    recorder.row(sid, found, sessions.has(sid) || (found !== null && users.has(found.session.userId)));
  }
}
