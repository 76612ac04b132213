import type { ClientInfo } from "../core/client-info.ts";
import { AuthError } from "../core/errors.ts";
import type { AuditFilter, ListedAuditEntry } from "../core/store/staff.ts";
import { RequestError } from "../http/request/request-error.ts";
import type { StaffDeps } from "./staff-deps.ts";

/** For how long a member may repeat a change whose answer was lost, in seconds. */
const memory = 600;

/** The codes of refusals that say that a change isn't possible any more, perhaps because it has been made. */
const codes: ReadonlySet<unknown> = new Set([
  "not_found",
  "user_not_found",
  "session_not_found",
  "username_taken",
  "refused",
]);

/** Returns whether an error may only say that the same request was sent before. */
export function mayBeRepeated(error: unknown): boolean {
  if (error instanceof AuthError) return codes.has(error.code);
  return error instanceof RequestError && codes.has(error.body["code"]);
}

/** Who makes a change, and why. */
interface ChangeAuthor {
  /** The member and the reason, for the audit log. */
  readonly client: ClientInfo;
}

/**
 * Returns whether the member has made a change with the same reason a short time ago. The entry in the audit log was written in the
 * transaction of the change, so there is one even if the answer was an error or was lost.
 */
export async function hasMade(
  staff: StaffDeps,
  { client }: ChangeAuthor,
  filter: Pick<AuditFilter, "types" | "userId" | "sessionId">,
  isIt: (entry: ListedAuditEntry) => boolean = () => true,
): Promise<boolean> {
  const { rows } = await readRecent(staff, { ...filter, actor: client.actor });
  return rows.some(({ row }) => row.note === client.note && isIt(row));
}

/**
 * Returns whether the member has created a user with the same reason a short time ago, and nothing else has happened to the user since:
 * no login, not even a failed one, and no change by another member or for another reason.
 */
export async function hasJustCreated(staff: StaffDeps, { client }: ChangeAuthor, userId: string): Promise<boolean> {
  const { rows, end } = await readRecent(staff, { userId });
  const isOwn = rows.every(({ row }) => row.actor === client.actor && row.note === client.note);
  return isOwn && end === null && rows.some(({ row }) => row.details["change"] === "created");
}

/** Reads the newest entries of the audit log of the time in which a change may be repeated. */
function readRecent({ deps }: StaffDeps, filter: AuditFilter) {
  const part = { from: null, isBackward: false, limit: 100, scan: 2_000 };
  return deps.store.staff.audit({ ...filter, since: deps.clock.now() - memory }, part);
}
