import type { RefreshLine, SettingsLine } from "./format.ts";
import type { Judge } from "./judge.ts";
import type { SessionHistory } from "./session-history.ts";
import { gaveTokens, type Spending } from "./spending.ts";

/** I1, I2, I4 and I5: what the tokens of one session may be. */
export function checkRotations(
  session: SessionHistory,
  spending: Spending,
  settings: SettingsLine,
  judge: Judge,
): void {
  for (const [generation, lines] of session.refreshes) {
    const answered = lines.filter(gaveTokens);
    checkSuccessor(generation, answered, judge);
    for (const line of answered) {
      const { token, given } = line;
      judge("I2", !spending.isSurelySpent(line), `generation ${generation} was spent, and gave tokens again`, [
        line,
        ...lines.filter(gaveTokens),
      ]);
      if (given === undefined) continue;
      const next = line.outcome === "not_rotated" ? token.gen : token.gen + 1;
      judge("I4", given.sid === token.sid && given.gen === next, `generation ${token.gen} gave ${given.gen}`, [line]);
    }
  }
  const { login } = session;
  if (login?.given !== undefined) judge("I4", login.given.gen === 0, "a login gave a later generation", [login]);
  checkRows(session, judge);
  checkExpiries(session, settings, judge);
}

/** I1: one successor, made once. */
function checkSuccessor(generation: number, answered: readonly RefreshLine[], judge: Judge): void {
  if (answered.length === 0) return;
  const rotated = answered.filter(({ outcome }) => outcome === "rotated");
  judge("I1", rotated.length <= 1, `generation ${generation} was rotated ${rotated.length} times`, rotated);
  const successors = new Map(answered.map((line) => [line.given?.jti, line]));
  successors.delete(undefined);
  judge("I1", successors.size <= 1, `generation ${generation} has ${successors.size} successors`, [
    ...successors.values(),
  ]);
}

/** I4: a row has risen as often as somebody asked for it, and never falls. */
function checkRows({ login, rows, refreshes, renewals }: SessionHistory, judge: Judge): void {
  let highest = 0;
  for (const row of rows) {
    if (row.gen === undefined) continue;
    judge("I4", row.gen >= highest, `the generation fell from ${highest} to ${row.gen}`, rows);
    highest = Math.max(highest, row.gen);
    if (login === null || renewals.length > 0) continue;
    const asked = [...refreshes].filter(([, lines]) => lines.some(({ start }) => start <= row.at));
    const most = Math.max(-1, ...asked.map(([generation]) => generation)) + 1;
    judge("I4", row.gen <= most, `generation ${row.gen}, and nobody presented ${row.gen - 1}`, [row]);
  }
}

/** I5: one absolute expiry, which no token outlives. */
function checkExpiries(session: SessionHistory, { sessionLifetime, clockSkew }: SettingsLine, judge: Judge): void {
  const { login, rows, refreshes } = session;
  const known = rows.filter(({ absolute }) => absolute !== undefined);
  const [first] = known;
  for (const row of known) judge("I5", row.absolute === first?.absolute, "the absolute expiry moved", [first, row]);

  const latest =
    login === null || sessionLifetime === undefined
      ? Infinity
      : Math.ceil((login.end + clockSkew) / 1_000) + sessionLifetime;
  const absolute = first?.absolute ?? latest;
  if (absolute === Infinity) return;
  judge("I5", absolute <= latest, "the session lives longer than sessions may", [login, first]);
  for (const line of [login, ...[...refreshes.values()].flat()]) {
    if (line?.given === undefined) continue;
    const { exp, access } = line.given;
    judge("I5", Math.max(exp ?? 0, access?.exp ?? 0) <= absolute, "a token outlives its session", [line, first]);
  }
}
