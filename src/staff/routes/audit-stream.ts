import { z } from "zod";
import { AuthError, StoreUnavailableError } from "../../core/errors.ts";
import { createLoop } from "../../core/runtime/loop.ts";
import { unrefSchedule } from "../../core/runtime/schedule.ts";
import type { AuditEntry, AuditStore } from "../../core/store/audit.ts";
import { defineEndpoint, type Endpoint } from "../../http/endpoint.ts";
import { fieldErrors } from "../../http/request/request-error.ts";
import { createEventStream } from "../../http/response/event-stream.ts";
import { requireStaff } from "../access/require-staff.ts";
import type { AuditFollower } from "../audit/audit-follower.ts";
import type { StaffDeps } from "../staff-deps.ts";
import { toAuditBody } from "./audit.ts";
import { staffEndpoint, staffResponses } from "./responses.ts";

/** How many entries are read at once. */
const pageSize = 100;

/** `GET {adminPath}/audit/stream`: sends audit entries as they are written, as server-sent events. */
export const createAuditStream = (staff: StaffDeps, follower: AuditFollower): Endpoint =>
  defineEndpoint({
    ...staffEndpoint,
    method: "GET",
    path: () => `${staff.adminPath}/audit/stream`,
    operationId: "followStaffAudit",
    summary: "Follow the audit log: events `entry`, and `closed` when the caller's session ends.",
    responses: {
      ...staffResponses,
      200: {
        description: "A stream of server-sent events.",
        headers: [
          { name: "X-Accel-Buffering", description: "Tells nginx not to hold events back.", schema: z.string() },
        ],
        binary: "text/event-stream; charset=utf-8",
      },
    },
    async handle(context) {
      const { authentication, userId } = await requireStaff(staff, context, { permission: "read" });
      const { audit } = staff.deps.store;
      const last = context.request.headers.get("Last-Event-ID");
      let cursor = last === null ? (await audit.read({ after: null, limit: 1 })).cursor : await readId(audit, last);

      const loop = createLoop({
        schedule: unrefSchedule,
        async step() {
          const page = await audit.read({ after: cursor, limit: pageSize });
          cursor = page.cursor;
          // After the read, so that nothing is sent that was written after the role was lost.
          if ((await staff.findMember(userId)) === null) {
            stream.end({ event: "closed", data: { code: "not_staff" } });
            return null;
          }
          const userIds = toUserIds(page.entries);
          const names = new Map([
            ...(await staff.deps.store.staff.names(userIds)),
            ...(await staff.findNames(userIds)),
          ]);
          for (const [index, entry] of page.entries.entries()) {
            // Only after the last entry of a page can a stream continue.
            const isLast = index === page.entries.length - 1;
            stream.send({ event: "entry", data: toBody(entry, names), ...(isLast ? { id: toId(cursor) } : {}) });
          }
          return page.more ? 0 : null;
        },
      });
      // Without an event, so that the browser continues at another node.
      const unfollow = follower.follow({ onEntries: () => loop.wake(), onStop: () => stream.end() });
      if (unfollow === null) throw new AuthError("throttled", "streams", { retryAfter: 5 });
      const gone = new AbortController();
      const signal = staff.signal(authentication, gone.signal);
      const close = () => {
        const { reason } = signal as { reason?: unknown };
        const code = reason instanceof AuthError ? reason.code : "closed";
        stream.end({ event: "closed", data: { code } });
      };
      const stream = createEventStream({
        onEnd() {
          unfollow();
          signal.removeEventListener("abort", close);
          gone.abort();
          void loop.stop();
        },
      });
      if (signal.aborted) close();
      else signal.addEventListener("abort", close);
      loop.wake();
      return stream.response;
    },
  });

function toUserIds(entries: readonly AuditEntry[]): readonly string[] {
  return [...new Set(entries.flatMap(({ userId }) => userId ?? []))];
}

function toBody(entry: AuditEntry, names: ReadonlyMap<string, string>) {
  return toAuditBody({ ...entry, username: names.get(entry.userId ?? "") ?? null });
}

/** The cursor as a text for `Last-Event-ID`, which has one line. */
function toId(cursor: string): string {
  return Buffer.from(cursor).toString("base64url");
}

/**
 * Returns the cursor of an id. Clients can write ids of their own, so the store reads from it once before the stream begins.
 *
 * @throws RequestError 400. StoreUnavailableError.
 */
async function readId(audit: Pick<AuditStore, "read">, id: string): Promise<string> {
  const cursor = Buffer.from(id, "base64url").toString();
  try {
    if (isCursor(cursor)) {
      await audit.read({ after: cursor, limit: 1 });
      return cursor;
    }
  } catch (error) {
    if (error instanceof StoreUnavailableError) throw error;
    // The same answer as for any other text.
  }
  throw fieldErrors({ "Last-Event-ID": ["This isn't the id of an event of this stream."] });
}

/** Returns whether a text has the form of a cursor of one of the stores: a number, or a JSON object. */
function isCursor(text: string): boolean {
  if (/^\d+$/.test(text)) return Number.isSafeInteger(Number(text));
  const { seen } = JSON.parse(text) ?? {};
  return typeof seen === "string" && /^\d{1,20}:\d{1,20}:[\d,]*$/.test(seen);
}
