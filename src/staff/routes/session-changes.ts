import { z } from "zod";
import type { ListKey } from "../../core/store/staff.ts";
import type { Endpoint } from "../../http/endpoint.ts";
import { countField, textField } from "../../http/request/fields.ts";
import { fieldErrors, RequestError } from "../../http/request/request-error.ts";
import { toJsonResponse } from "../../http/response/json.ts";
import { toGuard, toPermissionGuard } from "../guards.ts";
import type { StaffDeps } from "../staff-deps.ts";
import { type ChangeRequest, defineChange, revokedSchema, toRevokedResponse } from "./change.ts";
import { sessionFilters, toSessionFilter } from "./sessions.ts";
import { requireNow } from "./user-changes.ts";

/** The maximum number of sessions that one request revokes one by one. */
const maxMatches = 10_000;

const pageSize = 500;

/** Creates the endpoints that revoke sessions and tokens. */
export function createSessionChanges(staff: StaffDeps): readonly Endpoint[] {
  return [
    // Before the path with an id.
    defineChange(staff, {
      method: "POST",
      path: "/sessions/revoke",
      operationId: "revokeStaffSessions",
      summary: "Revoke all live sessions that match a filter, or all sessions of all users. `dry_run` only counts.",
      permission: "sessions.revoke-many",
      needsConfirmation: true,
      fields: {
        filter: z.strictObject(sessionFilters).partial().optional(),
        expected: countField().optional(),
        dry_run: z.boolean().optional(),
        all: z.literal(true).optional(),
      },
      answer: revokedSchema,
      run: (request) => revokeMany(staff, request),
    }),
    defineChange(staff, {
      method: "DELETE",
      path: "/sessions/{id}",
      operationId: "revokeStaffSession",
      summary: "Revoke a session.",
      permission: "sessions.revoke",
      fields: {},
      answer: revokedSchema,
      async run(request) {
        const confirmed = await revokeOne(staff, request, request.id);
        return toRevokedResponse({ sessions: 1, ...confirmed });
      },
    }),
    defineChange(staff, {
      method: "POST",
      path: "/tokens/revoke",
      operationId: "revokeStaffToken",
      summary: "Revoke one access token by its `jti`. Its session continues.",
      permission: "sessions.revoke",
      fields: { jti: textField({ keepSpace: false, maxLength: 128, storable: true }) },
      answer: revokedSchema,
      async run({ body, client }) {
        return toRevokedResponse({ sessions: 0, ...(await staff.flows.revokeToken(body.jti, { client })) });
      },
    }),
    defineChange(staff, {
      method: "POST",
      path: "/addresses/unlock",
      operationId: "unlockStaffAddress",
      summary: "Clear the counts of failed logins from an address.",
      permission: "users.write",
      fields: { ip: textField({ keepSpace: false, maxLength: 64 }) },
      answer: z.object({ cleared: z.int() }),
      async run({ body, client }) {
        try {
          return toJsonResponse(200, { cleared: await staff.flows.unlockAddress(body.ip, client) });
        } catch (error) {
          if (error instanceof TypeError) throw fieldErrors({ ip: ["This isn't an address."] });
          throw error;
        }
      },
    }),
  ];
}

/** Revokes one session, if the member may act on its user. @throws RequestError 404. */
async function revokeOne(
  staff: StaffDeps,
  request: Omit<ChangeRequest<unknown>, "body">,
  sessionId: string,
  { confirmed }: { readonly confirmed?: boolean } = {},
): Promise<{ readonly confirmed?: "acks" | "expiry" | "pending" }> {
  const { member, client, isConfirmed } = request;
  const found = await staff.deps.store.sessions.find(sessionId);
  if (found === null) throw new RequestError(404, { detail: "Not found.", code: "not_found" });
  const targetId = found.session.userId;
  await requireNow(staff, { ...request, id: targetId }, "revoke-session");
  const guard = staff.hasOwnRoles ? toGuard(member, { targetId, action: "revoke-session", isConfirmed }) : undefined;
  return staff.flows.revokeSession(sessionId, {
    client,
    guard,
    confirmed: confirmed ?? staff.deps.settings.confirmRevocations,
  });
}

interface RevokeMany {
  readonly filter?: Readonly<Record<string, unknown>> | undefined;
  readonly expected?: number | undefined;
  readonly dry_run?: boolean | undefined;
  readonly all?: true | undefined;
}

async function revokeMany(staff: StaffDeps, request: ChangeRequest<RevokeMany>): Promise<Response> {
  const { filter, expected, dry_run: isDryRun = false, all } = request.body;
  if ((all === true) === (filter !== undefined)) throw fieldErrors({ filter: ["Give a filter, or `all`."] });
  if (all === true) {
    const guard = staff.hasOwnRoles ? toPermissionGuard(request.member, "sessions.revoke-many") : undefined;
    return toRevokedResponse(await staff.flows.revokeAllSessions({ client: request.client, guard }));
  }
  if (!isDryRun && expected === undefined)
    throw fieldErrors({ expected: ["Say how many sessions you expect to match."] });
  const ids = await findMatches(staff, request.member.userId, filter ?? {});
  if (isDryRun) return toRevokedResponse({ sessions: ids.length });
  if (ids.length > (expected ?? 0) * 1.1) {
    throw new RequestError(409, {
      detail: `${ids.length} sessions match now, not ${expected}. Look at them again.`,
      code: "more_match",
    });
  }
  const signal = staff.signal(request.member.authentication);
  let revoked = 0;
  let confirmed: "acks" | "expiry" | "pending" | undefined;
  for (const [index, id] of ids.entries()) {
    // A member whose session was revoked meanwhile revokes no more. The session was checked only when the request came in.
    signal.throwIfAborted();
    try {
      // The last confirmation covers the earlier revocations too: a node applies them in order.
      const isLast = index === ids.length - 1;
      const result = await revokeOne(staff, request, id, isLast ? {} : { confirmed: false });
      revoked++;
      confirmed = result.confirmed ?? confirmed;
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  // If the last one was gone, nothing has waited for the others.
  if (revoked > 0 && staff.deps.settings.confirmRevocations) confirmed ??= "pending";
  return toRevokedResponse({ sessions: revoked, ...(confirmed === undefined ? {} : { confirmed }) });
}

/** Returns the ids of the live sessions that match, without those of the member. @throws RequestError 400 if there are too many. */
async function findMatches(
  staff: StaffDeps,
  ownId: string,
  filter: Readonly<Record<string, unknown>>,
): Promise<readonly string[]> {
  const ids: string[] = [];
  let from: ListKey | null = null;
  do {
    const part = { from, isBackward: false, limit: pageSize, scan: 20_000 };
    const { rows, end } = await staff.deps.store.staff.sessions({ ...toSessionFilter(filter), state: "live" }, part);
    ids.push(...rows.filter(({ row }) => row.userId !== ownId).map(({ row }) => row.id));
    if (ids.length > maxMatches) {
      throw new RequestError(400, {
        detail: `More than ${maxMatches} sessions match. Narrow the filter, or revoke all.`,
        code: "too_many_match",
      });
    }
    from = end;
  } while (from !== null);
  return ids;
}

/** Returns whether a session of the list can't be revoked any more, or belongs to a user on whom the member may not act. */
function isGone(error: unknown): boolean {
  const code = error instanceof RequestError ? error.body["code"] : (error as { readonly code?: unknown }).code;
  return code === "session_not_found" || code === "not_found" || code === "permission_denied";
}
