import type { SettingsLine } from "./format.ts";
import type { Judge } from "./judge.ts";
import type { History, SessionHistory } from "./session-history.ts";
import { gaveTokens, isRefusedInTime, type Spending } from "./spending.ts";

/** I6 and I7: who keeps to the rule is never logged out; where a second party holds tokens, the session ends. */
export function checkParties(session: SessionHistory, spending: Spending, settings: SettingsLine, judge: Judge): void {
  const { possibleEndings, renewals, rows } = session;
  const { clockSkew } = settings;
  const refreshes = [...session.refreshes.values()].flat();

  /** Whoever got no tokens for a token that was perhaps spent may have ended the session. */
  const suspects = refreshes.filter((line) => !gaveTokens(line) && spending.isPerhapsSpent(line));
  const excuses = [...suspects, ...possibleEndings, ...renewals];
  for (const line of refreshes) {
    if (!gaveTokens(line) && !isRefusedInTime(line, settings)) continue;
    const isRight = gaveTokens(line) || excuses.some(({ start }) => start - clockSkew < line.end);
    judge("I6", isRight, "an honest client was refused", [line]);
  }

  for (const line of refreshes) {
    if (!spending.isReuse(line)) continue;
    const alive = refreshes.find((later) => gaveTokens(later) && line.end + clockSkew <= later.start);
    judge("I7", alive === undefined, "a spent token returned, and the session gave tokens after it", [line, alive]);
    const row = rows.find(({ at, reason }) => at >= line.end + clockSkew && reason === null);
    judge("I7", row === undefined, "a spent token returned, and the session lives", [line, row]);
  }
}

/** I8: no answer to a forged token but a refusal. */
export function checkForgeries({ forgeries }: History, judge: Judge): void {
  for (const line of forgeries) {
    const isRefused = line.outcome === "refused" || line.outcome === "unknown";
    judge("I8", isRefused, "a forged token was taken for genuine", [line]);
  }
}
