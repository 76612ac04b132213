import type { AuditOf } from "../core/audit.ts";
import type { AuthEvent } from "../core/events.ts";
import type { Settings } from "../core/settings.ts";

/** What a change tells, from its result: the same events go to the database, with the change, and to the listeners. */
export type Tell<T> = (result: T) => readonly AuthEvent[];

/** Makes of what a change tells what a store has to write of it; `undefined` where nothing is. */
export type Auditor = <T>(tell: Tell<T>) => AuditOf<T> | undefined;

/** The auditor of these settings. */
export function createAuditor({ auditRetention }: Pick<Settings, "auditRetention">): Auditor {
  if (auditRetention === 0) return () => undefined;
  return (tell) => (result) => tell(result).map((event) => ({ event, isKept: true, delivery: null }));
}
