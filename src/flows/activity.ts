import type { AuditEntry } from "../core/store/audit.ts";
import type { Deps } from "./deps.ts";

/**
 * What happened to a user's account, as shown to the user. It has no text that is meant for staff or for the log, and says
 * nothing about a device that may be another actor's.
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
  /** `null` if it is unknown, or may be the address of another actor. */
  readonly ip: string | null;
  /** `null` if it is unknown, or may be the user agent of another actor. */
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

/**
 * The entries whose actor may be missing: a refresh token alone doesn't say who acts, and a session of any user can replace another
 * one in the same browser.
 */
const uncertain = new Set(["csrf_refused", "refresh refused", "refresh state_lost", "sessions_revoked replaced"]);

function toActivity({ details, reason, actor, note: _note, ...entry }: AuditEntry): ActivityEntry {
  const found = entry.type === "sessions_revoked" ? reason : (details["outcome"] ?? details["change"]);
  const detail = typeof found === "string" ? found : null;
  const byOther = actor !== null;
  const isHidden = byOther || uncertain.has(detail === null ? entry.type : `${entry.type} ${detail}`);
  return { ...entry, ...(isHidden ? { ip: null, userAgent: null } : {}), detail, byOther };
}
