import type { AuditLine, Line, SettingsLine } from "./format.ts";
import type { Judge } from "./judge.ts";
import type { SessionHistory } from "./session-history.ts";
import { gaveTokens, type Spending } from "./spending.ts";

/** I12: each acknowledged login, rotation, detected reuse and logout is in the audit log exactly once. */
export function checkAudit(session: SessionHistory, spending: Spending, settings: SettingsLine, judge: Judge): void {
  const { sid, login, audits, possibleEndings } = session;

  function requireEntry(cause: Line, event: AuditLine["event"], gen?: number): void {
    if (!settings.audited.includes(event)) return;
    const isThere = audits.some((line) => line.event === event && line.gen === gen);
    judge("I12", isThere, `the ${event} of session ${sid} is missing in the audit log`, [cause]);
  }

  const once = new Set<string>();
  for (const line of audits) {
    const key = `${line.event} ${line.gen}`;
    judge("I12", !once.has(key), `${line.event} of session ${sid} is in the audit log twice`, [line]);
    once.add(key);
  }
  if (login?.given !== undefined) requireEntry(login, "login");
  for (const [generation, lines] of session.refreshes) {
    const [given] = lines.filter((line) => gaveTokens(line) && line.outcome !== "not_rotated");
    if (given !== undefined) requireEntry(given, "rotation", generation);
    const reuse = lines.find(spending.isReuse);
    if (reuse !== undefined && possibleEndings.length === 0) requireEntry(reuse, "reuse_detected");
  }
  const logout = session.endings.find(({ how, sid: ended }) => how === "logout" && ended === sid);
  if (logout !== undefined) requireEntry(logout, "logout");
}
