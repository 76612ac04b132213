import { z } from "zod";
import type { ListedSession, SessionFilter } from "../../core/store/staff.ts";
import { defineEndpoint, type Endpoint } from "../../http/endpoint.ts";
import { timeSchema } from "../../http/openapi/responses.ts";
import { fieldErrors } from "../../http/request/request-error.ts";
import { toJsonResponse } from "../../http/response/json.ts";
import { requireStaff } from "../access/require-staff.ts";
import type { StaffSession } from "../api.ts";
import { toAddressFilter } from "../audit/networks.ts";
import { readListRequest, toListQuery } from "../paging.ts";
import type { StaffDeps } from "../staff-deps.ts";
import { pageSchema, staffEndpoint, staffResponses, timeFilter } from "./responses.ts";

/** The filters of a list of sessions. */
export const sessionFilters = {
  user: z.string().max(128).optional().meta({ description: "The id of a user." }),
  ip: z.string().max(64).optional().meta({ description: 'An address, or a network such as "203.0.113.0/24".' }),
  user_agent: z.string().max(200).optional().meta({ description: "A part of the user agent, in any case." }),
  created_before: timeFilter("Only logins before this time."),
  unused_since: timeFilter("Only sessions that were last used before this time."),
  state: z.enum(["live", "ended"]).optional().meta({ description: "`live` or `ended`. Default: both." }),
};

/** The schema of a session in a list. */
export const sessionSchema = z.object({
  id: z.string(),
  user: z.object({ id: z.string(), username: z.string() }),
  created_at: timeSchema,
  last_used_at: timeSchema,
  expires_at: timeSchema,
  generation: z.int(),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
  label: z.string().nullable(),
  actor: z.string().nullable(),
  is_live: z.boolean(),
  revoked_at: timeSchema.nullable(),
  revoke_reason: z.string().nullable(),
  current: z.boolean(),
});

/** `GET {adminPath}/sessions`: lists sessions. */
export const createSessionsList = (staff: StaffDeps): Endpoint =>
  defineEndpoint({
    ...staffEndpoint,
    method: "GET",
    path: () => `${staff.adminPath}/sessions`,
    operationId: "listStaffSessions",
    summary: "List sessions, newest first.",
    query: toListQuery(sessionFilters),
    responses: { ...staffResponses, 200: { description: "A page.", schema: pageSchema(sessionSchema) } },
    async handle(context) {
      const { sessionId } = await requireStaff(staff, context, { permission: "read" });
      const { filter, part, toPage } = readListRequest(context.request.url, sessionFilters, () => ["number", "string"]);
      const found = await staff.deps.store.staff.sessions(toSessionFilter(filter), part);
      const names = await staff.findNames(found.rows.map(({ row }) => row.userId));
      return toJsonResponse(
        200,
        toPage(found, (session) => toSessionBody(session, { currentId: sessionId, names })),
      );
    },
  });

/** Converts the parameters of a request to the filter of the store. @throws RequestError 400. */
export function toSessionFilter(filter: z.infer<z.ZodObject<typeof sessionFilters>>): SessionFilter {
  const addresses = filter.ip === undefined ? {} : toAddressFilter(filter.ip);
  if (addresses === null) {
    throw fieldErrors({ ip: ["Give an address or a network, such as 203.0.113.0/24 or 2001:db8::/32."] });
  }
  return {
    ...addresses,
    userId: filter.user,
    userAgent: filter.user_agent,
    createdBefore: filter.created_before,
    unusedSince: filter.unused_since,
    state: filter.state,
  };
}

/** What the body of a session needs besides its row. */
interface SessionSurroundings {
  /** The session of the caller. */
  readonly currentId: string;
  /** The names of users in the application's own table. Without a name, the id is used. */
  readonly names: ReadonlyMap<string, string>;
}

/** Converts a session to the body of the API. */
export function toSessionBody(session: ListedSession, { currentId, names }: SessionSurroundings): StaffSession {
  const { userId, username } = session;
  return {
    id: session.id,
    user: { id: userId, username: username || (names.get(userId) ?? userId) },
    created_at: session.createdAt,
    last_used_at: session.lastUsedAt,
    expires_at: session.expiresAt,
    generation: session.generation,
    ip: session.ip,
    user_agent: session.userAgent,
    label: session.label,
    actor: session.actor,
    is_live: session.isLive,
    revoked_at: session.revokedAt,
    revoke_reason: session.revokeReason,
    current: session.id === currentId,
  };
}
