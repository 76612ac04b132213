import { checkAudit } from "./audit-checks.ts";
import { checkEndings } from "./ending-checks.ts";
import type { Line, SettingsLine } from "./format.ts";
import { createJudge, type Judgement } from "./judge.ts";
import { checkForgeries, checkParties } from "./party-checks.ts";
import { checkRotations } from "./rotation-checks.ts";
import { toHistory } from "./session-history.ts";
import { toSpending } from "./spending.ts";

/** Holds a history against the invariants that its settings name. */
export function checkHistory(lines: readonly [SettingsLine, ...Line[]]): Judgement {
  const history = toHistory(lines);
  const { settings, sessions } = history;
  const { judge, toJudgement } = createJudge(settings.invariants);
  for (const session of sessions) {
    const spending = toSpending(session, settings);
    checkRotations(session, spending, settings, judge);
    checkParties(session, spending, settings, judge);
    checkEndings(session, spending, history, judge);
    checkAudit(session, spending, settings, judge);
  }
  checkForgeries(history, judge);
  return toJudgement();
}
