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

/**
 * Returns whether the member has made a change with the same reason a short time ago. The entry in the audit log was written in the
 * transaction of the change, so there is one even if the answer was an error or was lost.
 */
export async function hasMade(
  { deps }: StaffDeps,
  { client: { actor, note } }: { readonly client: ClientInfo },
  filter: Pick<AuditFilter, "types" | "userId" | "sessionId">,
  isIt: (entry: ListedAuditEntry) => boolean = () => true,
): Promise<boolean> {
  const part = { from: null, isBackward: false, limit: 100, scan: 2_000 };
  const since = deps.clock.now() - memory;
  const { rows } = await deps.store.staff.audit({ ...filter, actor, since }, part);
  return rows.some(({ row }) => row.note === note && isIt(row));
}
