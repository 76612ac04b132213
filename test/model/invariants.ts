import type { Session } from "../../src/core/session.ts";
import { hashSecret } from "../../src/crypto/secrets.ts";
import type { Tables } from "./model-database.ts";
import { isLive } from "./model-store.ts";
import { type Scenario, toBystander, toSession } from "./scenario.ts";
import type { Ending, Server } from "./server.ts";
import { type Flight, type Party, parseFlight, type Step, type World } from "./world.ts";

/**
 * Returns the first invariant (docs/correctness.md) that a step violates, as its number and a sentence; null if none.
 */
export function findViolation(step: Step, scenario: Scenario): string | null {
  const { ending } = step;
  return (ending === undefined ? null : findInFlow(step, ending, scenario)) ?? findInState(step);
}

/** Checks what must hold of every run of a flow. */
function findInFlow(step: Step, ending: Ending, scenario: Scenario): string | null {
  const { event, before } = step;
  const { answer, tables } = ending;
  const was = before.snapshot.disk.committed;
  if (!ending.isPrefix) return "I10: a crash left something other than a prefix of whole transactions";
  if (event.kind !== "disable" && event.kind !== "others elsewhere" && toBystander(was) !== toBystander(tables)) {
    return "I9: the session of another device was touched";
  }
  if (event.kind === "others" || event.kind === "others elsewhere") {
    const isRevived = [toSession, toBystander].some(
      (find) => !isLiveIn(was, find(was)) && isLiveIn(tables, find(tables)),
    );
    if (isRevived) return "I3: a session that was over is live again";
  }
  if (answer?.kind === "pair") {
    const absolute = ending.session?.absoluteExpiresAt ?? 0;
    const { pair } = answer;
    if (!pair.isOnlySuccessor) return `I1: a second secret for generation ${pair.generation}`;
    if (before.isRevoked) return "I3: a token after an answered logout or disable";
    if (pair.refreshExpiresAt > absolute || pair.accessExpiresAt > absolute) return "I5: a token outlives the session";
  }
  if (event.kind === "forgery" && (answer?.kind !== "refused" || answer.transactions > 0 || tables !== was)) {
    return "I8: a forged token reached the database";
  }
  if (event.kind === "unknown" && (answer?.kind === "pair" || tables !== was)) {
    return "I2: a token that the row does not know gave tokens or changed the row";
  }
  if (event.kind === "contradiction" && ((answer !== null && answer.kind !== "refused") || tables !== was)) {
    return "I8: a token that contradicts its session was accepted or changed something";
  }
  if (event.kind === "refresh") return findInRefresh(step, ending, event, scenario);
  const { session } = before.snapshot;
  return session !== undefined && ending.session?.generation !== session.generation
    ? "I4: a generation without a refresh"
    : null;
}

/** Checks what must hold of a refresh. */
function findInRefresh(
  { before, after }: Step,
  { answer, session, tables }: Ending,
  { party, flight }: { readonly party: Party; readonly flight: Flight },
  { reuseInterval }: Scenario,
): string | null {
  // The time of the last transaction decides; the clock may have stepped before it.
  const { committed } = before.snapshot.disk;
  const was = { ...committed, now: tables.now };
  const { rotation, expiries } = before;
  const { generation, key } = parseFlight(flight);
  const row = before.snapshot.session as Session;
  const next = session as Session;
  const isPrevious = generation === row.generation - 1;
  const isLate = (rotation?.age ?? 0) + was.now - committed.now > reuseInterval;
  const isOfRotation = key !== "" && key === rotation?.key;
  const hasExpired = was.now >= (expiries[generation] ?? 0);

  const mayRotate = answer === null || (answer.kind === "pair" && answer.outcome === "rotated") ? 1 : 0;
  const rise = next.generation - row.generation;
  if (rise !== mayRotate && !(answer === null && rise === 0)) return `I4: the generation rose by ${rise}`;
  if (next.absoluteExpiresAt !== row.absoluteExpiresAt) return "I5: the absolute expiry moved";

  if (answer?.kind === "pair") {
    const isEntitled = generation === row.generation || (isPrevious && (isOfRotation || !isLate));
    if (!isEntitled || answer.pair.generation !== generation + 1) return `I2: tokens for a spent token ${generation}`;
    if (!isLive(was, row)) return "I3: tokens of a session that is not live";
  }

  const isSpent = generation < row.generation;
  const isForeign = isSpent && !(isPrevious && (rotation?.party === party || !isLate));
  if (isForeign && answer !== null && isLive(was, row) && !hasExpired && next.revokeReason !== "reuse") {
    return `I7: the ${party} presented the spent token ${generation} late and the session is live`;
  }

  const isToBeRetried =
    answer?.kind === "refused" && answer.code === "unavailable" && !answer.sessionEnded && next === row;
  const isExcused =
    isToBeRetried || after.thiefHasPresented || hasExpired || (!isLive(was, row) && row.revokeReason !== "reuse");
  if (party === "browser" && answer?.kind === "refused" && !isExcused) {
    return `I6: an honest browser is refused (${answer.code})`;
  }
  return next.revokeReason === "reuse" && !after.thiefHasPresented ? "I6: reuse was detected without a thief" : null;
}

/** Checks what must hold in every state. */
function findInState({ before, after }: Step): string | null {
  const { session: was } = before.snapshot;
  const { session: is } = after.snapshot;
  const { committed } = after.snapshot.disk;
  if (after.isRevoked && is !== undefined && isLive(committed, is)) return "I10: an answered logout was lost";
  if (was?.revokeReason != null && is?.revokeReason !== was.revokeReason) return "I3: a revoked session is live again";
  return (was?.generation ?? 0) > (is?.generation ?? 0) ? "I4: the generation fell" : null;
}

/**
 * Checks that whole transactions can have left the row, whatever crashed (I10). Depends on the world's snapshot only.
 */
export function findBrokenRow({ snapshot, login }: World, server: Server): string | null {
  const { session, disk } = snapshot;
  if (session === undefined || login !== "logged in") return null;
  const { generation, rotatedAt, salt, previousHash } = session;
  const isWhole =
    isHashOf(session.currentHash, server.secretOf(generation)) &&
    (generation === 0
      ? rotatedAt === null && salt === null && previousHash === null
      : rotatedAt !== null && salt !== null && isHashOf(previousHash, server.secretOf(generation - 1))) &&
    (session.revokedAt === null) === (session.revokeReason === null) &&
    ((session.revokedAt === null && !isBehind(disk.committed, session)) || isInFeed(disk.committed, session));
  return isWhole ? null : "I10: a row that no whole transaction leaves";
}

const isLiveIn = (tables: Tables, session: Session | undefined) => session !== undefined && isLive(tables, session);

/** Returns whether the user's epoch was raised without this session. */
function isBehind({ users }: Tables, { userId, userEpoch }: Session): boolean {
  return userEpoch < (users[userId]?.epoch ?? 0);
}

/** Returns whether the feed has an entry that revokes the session's access tokens. */
function isInFeed({ feed }: Tables, { id, userId, userEpoch }: Session): boolean {
  return feed.some(
    (entry) =>
      (entry.kind === "session" && entry.sessionId === id) ||
      (entry.kind === "user" && entry.userId === userId && entry.epoch > userEpoch && entry.except !== id),
  );
}

function isHashOf(hash: Uint8Array | null, secret: Uint8Array): boolean {
  return hash !== null && Buffer.compare(hash, hashSecret(secret)) === 0;
}
