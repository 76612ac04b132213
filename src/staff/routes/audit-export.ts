import { z } from "zod";
import { AuthError } from "../../core/errors.ts";
import type { ListKey } from "../../core/store/staff.ts";
import { commit } from "../../flows/commit.ts";
import { isAllowedOrigin } from "../../http/cookies/same-origin.ts";
import { defineEndpoint, type Endpoint } from "../../http/endpoint.ts";
import { type Member, requireStaff } from "../access/require-staff.ts";
import { type ExportFormat, exportFormatNames, exportFormats } from "../audit/export-formats.ts";
import { readFilters, toFilterQuery } from "../paging.ts";
import type { StaffDeps } from "../staff-deps.ts";
import { auditFilters, toAuditBody, toAuditFilter } from "./audit.ts";
import { staffEndpoint, staffResponses } from "./responses.ts";

/** How many entries are read at once. */
const pageSize = 500;

/** How many entries without a match are looked at, at most, before the client is served again. */
const scan = 5_000;

/** How many exports may run on a node. */
const maxExports = 4;

const parameters = {
  ...auditFilters,
  format: z.enum(exportFormatNames).meta({ description: "`csv`, or `jsonl`: one JSON object a line." }),
};

/** `GET {adminPath}/audit/export`: sends the audit log as a file, newest first. */
export function createAuditExport(staff: StaffDeps): Endpoint {
  let running = 0;
  return defineEndpoint({
    ...staffEndpoint,
    method: "GET",
    path: () => `${staff.adminPath}/audit/export`,
    operationId: "exportStaffAudit",
    summary: "Export the audit log, newest first. Needs a recent confirmation, and is recorded.",
    query: toFilterQuery(parameters),
    responses: {
      ...staffResponses,
      200: {
        description: "The entries.",
        headers: [{ name: "Content-Disposition", description: "The name of the file.", schema: z.string() }],
        binary: Object.values(exportFormats).map(({ mediaType }) => mediaType),
      },
    },
    async handle(context) {
      const member = await requireStaff(staff, context, { permission: "audit.export", confirmed: true });
      // A page of another site can open the URL with the member's cookies, and the member would be on record for it.
      if (!isAllowedOrigin(context.request, staff.deps.settings)) throw new AuthError("csrf_failed", "wrong origin");
      const { format: name, ...given } = readFilters(context.request.url, parameters);
      // A HEAD request must not be recorded as an export.
      const format = exportFormats[name];
      if (context.request.method === "HEAD") return toResponse(null, name, format);
      if (running >= maxExports) throw new AuthError("throttled", "exports", { retryAfter: 10 });
      running += 1;
      const gone = new AbortController();
      const finish = () => {
        if (!gone.signal.aborted) running -= 1;
        gone.abort();
      };
      try {
        await recordExport(staff, member, context);
        const filter = toAuditFilter(given);
        return toResponse(createBody({ staff, member, filter, format, finish, gone: gone.signal }), name, format);
      } catch (error) {
        finish();
        throw error;
      }
    },
  });
}

function toResponse(body: ReadableStream<Uint8Array> | null, name: string, { mediaType }: ExportFormat): Response {
  return new Response(body, {
    headers: { "Content-Type": mediaType, "Content-Disposition": `attachment; filename="audit.${name}"` },
  });
}

/** Writes the entry about the export. If it can't be written, nothing is exported. */
async function recordExport(
  { deps }: StaffDeps,
  { userId, sessionId, username }: Member,
  { client, request }: Parameters<Endpoint["handle"]>[0],
): Promise<void> {
  const query = new URL(request.url).searchParams;
  const format = query.get("format") ?? "";
  query.delete("format");
  const event = {
    type: "audit_exported",
    time: deps.clock.now(),
    userId,
    sessionId,
    format,
    filter: query.toString(),
    client: { ...client, actor: `staff/${username}` },
  } as const;
  await commit(
    deps,
    () => [event],
    async (audit) => {
      await deps.store.audit.append(audit({}).flatMap(({ row }) => row ?? []));
      return {};
    },
  );
}

interface Export {
  readonly staff: StaffDeps;
  readonly member: Member;
  readonly filter: ReturnType<typeof toAuditFilter>;
  readonly format: ExportFormat;
  /** Called once or more when the export has ended. */
  readonly finish: () => void;
  /** Aborts when the export has ended. */
  readonly gone: AbortSignal;
}

/** Reads the log page by page, as fast as the client reads. Fails if the member's session or role ends on the way. */
function createBody({ staff, member, filter, format, finish, gone }: Export): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const signal = staff.signal(member.authentication, gone);
  let from: ListKey | null = null;
  let isFirst = true;

  async function readPage(): Promise<{ readonly text: string; readonly isLast: boolean }> {
    signal.throwIfAborted();
    // So that an export of hours notices that the member is no admin any more.
    const current = await staff.findMember(member.userId);
    if (current?.role !== member.role) throw new AuthError("token_revoked", "the role has changed");
    const part = { from, isBackward: false, limit: pageSize, scan };
    const { rows, end } = await staff.deps.store.staff.audit(filter, part);
    const head = isFirst ? format.head : "";
    [from, isFirst] = [end, false];
    return { text: head + rows.map(({ row }) => format.toText(toAuditBody(row))).join(""), isLast: end === null };
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          for (let isDone = false; !isDone; ) {
            const { text, isLast } = await readPage();
            if (text !== "") controller.enqueue(encoder.encode(text));
            if (isLast) {
              controller.close();
              finish();
            }
            isDone = isLast || text !== "";
          }
        } catch (error) {
          finish();
          throw error;
        }
      },
      cancel: finish,
    },
    { highWaterMark: 0 },
  );
}
