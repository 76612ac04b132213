import { setImmediate } from "node:timers/promises";
import { z } from "zod";
import type { ListKey } from "../../core/store/staff.ts";
import type { Endpoint } from "../../http/endpoint.ts";
import { countField, textField } from "../../http/request/fields.ts";
import { fieldErrors, RequestError } from "../../http/request/request-error.ts";
import { toJsonResponse } from "../../http/response/json.ts";
import { authorize, toPermissionGuard } from "../access/authorize.ts";
import { hasMade } from "../repeats.ts";
import { runEach } from "../run-each.ts";
import type { StaffDeps } from "../staff-deps.ts";
import { type ChangeRequest, confirmDone, defineChange, revokedSchema, toRevokedResponse } from "./change.ts";
import { sessionFilters, toSessionFilter } from "./sessions.ts";

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
        const { id, client } = request;
        const found = await staff.deps.store.sessions.find(id);
        if (found === null) throw sessionNotFound();
        const { userId: targetId } = found.session;
        const guard = await authorize(staff, request, { targetId, action: "revoke-session" });
        const confirmed = staff.deps.settings.confirmRevocations;
        const options = { client, guard, userId: targetId, confirmed };
        return toRevokedResponse({ sessions: 1, ...(await staff.flows.revokeSession(id, options)) });
      },
      async repeat(request) {
        const isMade = await hasMade(staff, request, { types: ["sessions_revoked"], sessionId: request.id });
        return isMade ? toRevokedResponse({ sessions: 1, confirmed: await confirmDone(staff, 1) }) : null;
      },
    }),
    defineChange(staff, {
      method: "POST",
      path: "/tokens/revoke",
      operationId: "revokeStaffToken",
      summary:
        "Revoke one access token by its `jti`. Its session continues. Nothing says whose token it is, so this needs an admin with a " +
        "recent confirmation.",
      permission: "sessions.revoke",
      fields: { jti: textField({ keepSpace: false, maxLength: 128, storable: true }) },
      answer: revokedSchema,
      async run(request) {
        const { body, client } = request;
        const guard = await authorize(staff, request, { targetId: null, action: "revoke-session" });
        return toRevokedResponse({ sessions: 0, ...(await staff.flows.revokeToken(body.jti, { client, guard })) });
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
      async run({ member, body, client }) {
        const guard = toPermissionGuard(staff, member, "users.write");
        try {
          return toJsonResponse(200, { cleared: await staff.flows.unlockAddress(body.ip, { client, guard }) });
        } catch (error) {
          if (error instanceof TypeError) throw fieldErrors({ ip: ["This isn't an address."] });
          throw error;
        }
      },
    }),
  ];
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
    const guard = toPermissionGuard(staff, request.member, "sessions.revoke-many");
    return toRevokedResponse(await staff.flows.revokeAllSessions({ client: request.client, guard }));
  }
  if (!isDryRun && expected === undefined)
    throw fieldErrors({ expected: ["Say how many sessions you expect to match."] });
  const matches = await findMatches(staff, request.member.userId, filter ?? {});
  if (isDryRun) return toRevokedResponse({ sessions: matches.size });
  if (matches.size > (expected ?? 0) * 1.1) {
    throw new RequestError(409, {
      detail: `${matches.size} sessions match now, not ${expected}. Look at them again.`,
      code: "more_match",
    });
  }
  // A confirmed admin may act on every other user, so the transactions only look whether the member still is one.
  const guard = toPermissionGuard(staff, request.member, "sessions.revoke-many");
  let sessions = 0;
  const { failed, stopped } = await runEach(staff, request.member, toChunks(matches), async (chunk) => {
    const revoked = await staff.flows.revokeSessions(chunk, { client: request.client, guard, confirmed: false });
    sessions += revoked.sessions;
  });
  // The request can be repeated: then it finds the others.
  const [error = stopped?.error] = failed.values();
  if (error !== undefined) throw error;
  return toRevokedResponse({ sessions, confirmed: await confirmDone(staff, sessions) });
}

/** How many sessions one transaction revokes. With SQLite, nothing else has a turn meanwhile. */
const chunkSize = 50;

function* toChunks(owners: ReadonlyMap<string, string>): Generator<ReadonlyMap<string, string>> {
  const entries = [...owners];
  for (let at = 0; at < entries.length; at += chunkSize) yield new Map(entries.slice(at, at + chunkSize));
}

/**
 * Returns the live sessions that match with their users, without those of the member.
 *
 * @throws RequestError 400 if there are too many.
 */
async function findMatches(
  staff: StaffDeps,
  ownId: string,
  filter: Readonly<Record<string, unknown>>,
): Promise<ReadonlyMap<string, string>> {
  const matches = new Map<string, string>();
  let from: ListKey | null = null;
  do {
    const part = { from, isBackward: false, limit: pageSize, scan: 20_000 };
    const { rows, end } = await staff.deps.store.staff.sessions({ ...toSessionFilter(filter), state: "live" }, part);
    for (const { row } of rows) if (row.userId !== ownId) matches.set(row.id, row.userId);
    if (matches.size > maxMatches) {
      throw new RequestError(400, {
        detail: `More than ${maxMatches} sessions match. Narrow the filter, or revoke all.`,
        code: "too_many_match",
      });
    }
    from = end;
    // SQLite reads without giving anything else a turn.
    await setImmediate();
  } while (from !== null);
  return matches;
}

const sessionNotFound = () => new RequestError(404, { detail: "Not found.", code: "not_found" });
