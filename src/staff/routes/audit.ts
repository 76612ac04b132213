import { z } from "zod";
import type { AuditFilter, ListedAuditEntry } from "../../core/store/staff.ts";
import { defineEndpoint, type Endpoint } from "../../http/endpoint.ts";
import { timeSchema } from "../../http/openapi/responses.ts";
import { toJsonResponse } from "../../http/response/json.ts";
import { requireStaff } from "../access/require-staff.ts";
import type { StaffAuditEntry } from "../api.ts";
import { readListRequest, toListQuery } from "../paging.ts";
import type { StaffDeps } from "../staff-deps.ts";
import { pageSchema, staffEndpoint, staffResponses, timeFilter } from "./responses.ts";

/** The filters of the audit log. */
export const auditFilters = {
  type: z
    .string()
    .max(500)
    .transform((text) => text.split(","))
    .optional()
    .meta({ description: "Types of events, with commas between them." }),
  user: z.string().max(128).optional().meta({ description: "The id of a user." }),
  session: z.string().max(128).optional().meta({ description: "The id of a session." }),
  ip: z.string().max(64).optional().meta({ description: "An address." }),
  actor: z.string().max(128).optional().meta({ description: "Who acted." }),
  from: timeFilter("Only entries from this time on."),
  to: timeFilter("Only entries before this time."),
};

/** The schema of an audit entry. */
export const auditEntrySchema = z.object({
  id: z.int(),
  time: timeSchema,
  type: z.string(),
  user: z.object({ id: z.string(), username: z.string().nullable() }).nullable(),
  session_id: z.string().nullable(),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
  actor: z.string().nullable(),
  note: z.string().nullable(),
  reason: z.string().nullable(),
  details: z.record(z.string(), z.unknown()),
});

/** `GET {adminPath}/audit`: lists audit entries. */
export const createAuditList = (staff: StaffDeps): Endpoint =>
  defineEndpoint({
    ...staffEndpoint,
    method: "GET",
    path: () => `${staff.adminPath}/audit`,
    operationId: "listStaffAudit",
    summary: "List audit entries, newest first.",
    query: toListQuery(auditFilters),
    responses: { ...staffResponses, 200: { description: "A page.", schema: pageSchema(auditEntrySchema) } },
    async handle(context) {
      await requireStaff(staff, context, { permission: "read" });
      const { filter, part, toPage } = readListRequest(context.request.url, auditFilters, ({ user, session }) =>
        user === undefined && session === undefined ? ["number", "number"] : ["number"],
      );
      const found = await staff.deps.store.staff.audit(toAuditFilter(filter), part);
      const names = await staff.findNames(found.rows.map(({ row }) => row.userId));
      return toJsonResponse(
        200,
        toPage(found, (entry) => toAuditBody(entry, names)),
      );
    },
  });

/** Converts the parameters of a request to the filter of the store. */
export function toAuditFilter(filter: z.infer<z.ZodObject<typeof auditFilters>>): AuditFilter {
  const { type: types, user: userId, session: sessionId, ip, actor, from: since, to: before } = filter;
  return { types, userId, sessionId, ip, actor, since, before };
}

/**
 * Converts an audit entry to the body of the API.
 *
 * @param names the names of users in the application's own table.
 */
export function toAuditBody(entry: ListedAuditEntry, names: ReadonlyMap<string, string> = new Map()): StaffAuditEntry {
  const { userId } = entry;
  const username = entry.username ?? names.get(userId ?? "") ?? null;
  return {
    id: entry.id,
    time: entry.time,
    type: entry.type,
    user: userId === null ? null : { id: userId, username },
    session_id: entry.sessionId,
    ip: entry.ip,
    user_agent: entry.userAgent,
    actor: entry.actor,
    note: entry.note,
    reason: entry.reason,
    details: entry.details,
  };
}
