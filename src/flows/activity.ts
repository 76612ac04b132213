import type { AuditEntry } from "../core/store/audit.ts";
import type { Deps } from "./deps.ts";

/**
 * What happened to a user's account, as shown to the user. It has no text that is meant for staff or for the log, and says
 * nothing about the device of another actor.
 */
export interface ActivityEntry {
  readonly id: number;
  /** Whole seconds since the epoch. */
  readonly time: number;
  /** The type of the event, such as "login". */
  readonly type: string;
  /** What exactly: the outcome of a refresh, what was changed about the user, or why sessions were revoked. */
  readonly detail: string | null;
  readonly sessionId: string | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** Whether another actor than the user did it, such as a member of the staff. */
  readonly byOther: boolean;
}

/** How many entries are shown. */
const limit = 20;

/** Returns the newest entries of the audit log about a user, newest first. There are none if `auditRetention` is 0. */
export async function listActivity(
  { store }: { readonly store: Pick<Deps["store"], "audit"> },
  userId: string,
): Promise<readonly ActivityEntry[]> {
  const { entries } = await store.audit.read({ after: null, limit, userId });
  return entries.map(toActivity).reverse();
}

function toActivity({ details, reason, actor, note: _note, ...entry }: AuditEntry): ActivityEntry {
  const found = entry.type === "sessions_revoked" ? reason : (details["outcome"] ?? details["change"]);
  const byOther = actor !== null;
  const device = byOther ? { ip: null, userAgent: null } : {};
  return { ...entry, ...device, detail: typeof found === "string" ? found : null, byOther };
}
