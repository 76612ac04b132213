import type { EndLine, RefreshLine, SettingsLine } from "./format.ts";
import type { Judge } from "./judge.ts";
import type { History, SessionHistory } from "./session-history.ts";
import { gaveTokens, type Spending } from "./spending.ts";

/** I3, I9 to I11, I13 and I14: what ends, stays ended; what nothing ended, lives; and what was acknowledged is not lost. */
export function checkEndings(
  session: SessionHistory,
  spending: Spending,
  { settings, faults }: Pick<History, "settings" | "faults">,
  judge: Judge,
): void {
  const { clockSkew } = settings;
  const refreshes = [...session.refreshes.values()].flat();
  const endingBefore = (start: number) => session.endings.find(({ end }) => end + clockSkew <= start);

  for (const line of refreshes) {
    if (!gaveTokens(line)) continue;
    const ending = endingBefore(line.start);
    judge("I3", ending === undefined, "tokens after an acknowledged end", [ending, line]);
  }

  const isCutOff = (ended: number, asked: number) => faults.some(({ start, end }) => start < asked && end > ended);
  const { revocationBound, maxStaleness } = settings;

  for (const line of session.accesses) {
    const confirmed = session.endings.find((ending) => isConfirmed(ending) && ending.end + clockSkew < line.start);
    if (confirmed !== undefined) {
      judge("I13", line.outcome !== "ok", "an access token was accepted after a confirmed revocation", [
        confirmed,
        line,
      ]);
    }
    if (line.outcome !== "ok") continue;
    const acceptedAfter = (bound: number) => session.endings.find(({ end }) => end + bound + clockSkew < line.start);
    const overdue = acceptedAfter(revocationBound);
    const isOnTime = overdue === undefined || isCutOff(overdue.end, line.start);
    judge("I11", isOnTime, "an access token was accepted long after its session ended", [overdue, line]);
    const late = acceptedAfter(Math.max(revocationBound, maxStaleness));
    judge("I14", late === undefined, "a node that was cut off accepted a revoked access token for too long", [
      late,
      line,
    ]);
  }

  checkRows(session, refreshes, spending, settings, judge);
  for (const line of refreshes) {
    judge("I10", line.outcome !== "state_lost", "the database does not know a generation that it gave", [line]);
  }
}

const isConfirmed = ({ confirmed }: EndLine) => confirmed === "acks" || confirmed === "expiry";

/** What the database holds, against what was answered. */
function checkRows(
  { login, rows, endings, possibleEndings }: SessionHistory,
  refreshes: readonly RefreshLine[],
  spending: Spending,
  { clockSkew }: SettingsLine,
  judge: Judge,
): void {
  for (const row of rows) {
    if (row.missing) {
      judge("I10", login === null, "the session of an acknowledged login is gone", [login, row]);
      continue;
    }
    const ending = endings.find(({ end }) => end + clockSkew <= row.at);
    judge("I10", ending === undefined || row.reason !== null, "an acknowledged end was lost", [ending, row]);
    judge("I10", !row.reason || row.announced !== false, "ended without an entry in the feed", [row]);

    const last = refreshes.filter((line) => gaveTokens(line) && line.end + clockSkew <= row.at);
    const acknowledged = last.reduce<RefreshLine | null>((a, b) => ((a?.token.gen ?? -1) >= b.token.gen ? a : b), null);
    const expected =
      acknowledged === null ? 0 : acknowledged.token.gen + (acknowledged.outcome === "not_rotated" ? 0 : 1);
    judge("I10", (row.gen ?? expected) >= expected, `generation ${expected} was given and is lost`, [
      acknowledged,
      row,
    ]);

    if (!row.reason) continue;
    const hasCause =
      possibleEndings.some(({ start }) => start - clockSkew < row.at) ||
      refreshes.some((line) => !gaveTokens(line) && spending.isPerhapsSpent(line));
    judge("I9", hasCause, `ended (${row.reason}), and nobody ended it`, [login, row]);
  }
}
