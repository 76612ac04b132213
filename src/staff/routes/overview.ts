import { z } from "zod";
import { type AuditFilter, alarmTypes } from "../../core/store/staff.ts";
import { defineEndpoint, type Endpoint } from "../../http/endpoint.ts";
import { timeSchema } from "../../http/openapi/responses.ts";
import { toJsonResponse } from "../../http/response/json.ts";
import { requireStaff } from "../access/require-staff.ts";
import type { StaffAuditEntry, StaffNode, StaffOverview } from "../api.ts";
import { countedMinutes } from "../nodes/minute-counts.ts";
import { parseReport, type ReportBody } from "../nodes/node-reporter.ts";
import type { StaffDeps } from "../staff-deps.ts";
import { auditEntrySchema, toAuditBody } from "./audit.ts";
import { staffEndpoint, staffResponses } from "./responses.ts";

/** After how many seconds without a report a node counts as missing. */
const silence = 15;

const day = 86_400;

/** A login on a new device is daily business, and would hide the rest. It stays in the audit log. */
const alarms = alarmTypes.filter((type) => type !== "new_device");

/** The schema of a node. */
export const nodeSchema = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(["fresh", "behind", "missing"]),
  feed_age: z.number(),
  lag_p99: z.number().nullable(),
  refresh_p99: z.number().nullable(),
  login_p99: z.number().nullable(),
  hash_queue: z.number(),
  version: z.string(),
  started_at: timeSchema,
  reported_at: timeSchema,
});

const series = z.array(z.number());

/** The schema of the overview. */
export const overviewSchema = z.object({
  now: timeSchema,
  state: z.object({ level: z.enum(["ok", "warning", "problem"]), text: z.string() }),
  live_sessions: z.object({ count: z.int(), users: z.int() }),
  logins: z.object({ per_minute: z.int(), failed: z.int(), series }),
  refreshes: z.object({ per_minute: z.int(), replayed: z.int(), series }),
  reuse_detected: z.object({ count: z.int(), last_at: timeSchema.nullable() }),
  throttled: z.object({ accounts: z.int(), addresses: z.int() }),
  revocations: z.object({ live: z.int() }),
  nodes: z.array(nodeSchema),
  needs_a_look: z.array(auditEntrySchema),
  staff_actions: z.array(auditEntrySchema),
});

interface Report {
  readonly node: StaffNode;
  readonly body: ReportBody;
}

/** `GET {adminPath}/nodes`: lists the nodes that report. */
export const createNodesList = (staff: StaffDeps): Endpoint =>
  defineEndpoint({
    ...staffEndpoint,
    method: "GET",
    path: () => `${staff.adminPath}/nodes`,
    operationId: "listStaffNodes",
    summary: "List the nodes that have the console, as they last reported.",
    responses: {
      ...staffResponses,
      200: { description: "The nodes.", schema: z.object({ results: z.array(nodeSchema) }) },
    },
    async handle(context) {
      await requireStaff(staff, context, { permission: "read" });
      const { reports } = await readReports(staff);
      return toJsonResponse(200, { results: reports.map(({ node }) => node) });
    },
  });

/** `GET {adminPath}/overview`: returns the state of the whole installation. */
export const createOverview = (staff: StaffDeps): Endpoint =>
  defineEndpoint({
    ...staffEndpoint,
    method: "GET",
    path: () => `${staff.adminPath}/overview`,
    operationId: "getStaffOverview",
    summary: "Get the state of the installation.",
    responses: { ...staffResponses, 200: { description: "The state.", schema: overviewSchema } },
    async handle(context) {
      await requireStaff(staff, context, { permission: "read" });
      const { reports, now } = await readReports(staff);
      const since = now - day;
      const [reuse, alarming, actions, throttled] = await Promise.all([
        readEntries(staff, { types: ["sessions_revoked"], reason: "reuse", since }, 200),
        readEntries(staff, { types: alarms, since }, 5),
        readEntries(staff, { hasActor: true }, 5),
        readEntries(staff, { types: ["throttled"], since: now - 900 }, 200),
      ]);
      const nodes = reports.map(({ node }) => node);
      const present = reports.filter(({ node }) => node.state !== "missing").map(({ body }) => body);
      const [logins, refreshes] = [sum(present, "logins"), sum(present, "refreshes")];
      const live = present.flatMap((body) => body.live ?? []).toSorted((one, other) => other.at - one.at)[0];
      const overview: StaffOverview = {
        now,
        state: toState(nodes, staff.deps.settings.maxStaleness),
        live_sessions: { count: live?.sessions ?? 0, users: live?.users ?? 0 },
        logins: { per_minute: lastWhole(logins), failed: lastWhole(sum(present, "failed_logins")), series: logins },
        refreshes: {
          per_minute: lastWhole(refreshes),
          replayed: lastWhole(sum(present, "replays")),
          series: refreshes,
        },
        reuse_detected: { count: reuse.length, last_at: reuse[0]?.time ?? null },
        throttled: {
          accounts: new Set(throttled.flatMap(({ user }) => user?.id ?? [])).size,
          addresses: new Set(throttled.flatMap(({ ip }) => ip ?? [])).size,
        },
        revocations: { live: Math.max(0, ...present.map((body) => body.revocations)) },
        nodes,
        needs_a_look: [...reuse.slice(0, 5), ...alarming].toSorted((one, other) => other.time - one.time).slice(0, 8),
        staff_actions: actions,
      };
      return toJsonResponse(200, overview);
    },
  });

async function readReports({
  deps,
}: StaffDeps): Promise<{ readonly reports: readonly Report[]; readonly now: number }> {
  const { reports: rows, now } = await deps.store.staff.reports();
  const reports = rows.flatMap(({ id, reportedAt, body: json }) => {
    const body = parseReport(json);
    return body === null ? [] : [{ body, node: toNode({ id, reportedAt }, body, now, deps.settings.maxStaleness) }];
  });
  return { reports, now };
}

function toNode(
  { id, reportedAt }: { readonly id: string; readonly reportedAt: number },
  body: ReportBody,
  now: number,
  maxStaleness: number | null,
): StaffNode {
  const isBehind = body.feed_age > Math.min(2, maxStaleness ?? 2);
  return {
    id,
    name: body.name,
    state: now - reportedAt > silence ? "missing" : isBehind ? "behind" : "fresh",
    feed_age: body.feed_age,
    lag_p99: body.lag_p99,
    refresh_p99: body.refresh_p99,
    login_p99: body.login_p99,
    hash_queue: body.hash_queue,
    version: body.version,
    started_at: body.started_at,
    reported_at: reportedAt,
  };
}

function toState(nodes: readonly StaffNode[], maxStaleness: number | null): StaffOverview["state"] {
  const missing = nodes.filter(({ state }) => state === "missing");
  const behind = nodes
    .filter(({ state }) => state === "behind")
    .toSorted((one, other) => other.feed_age - one.feed_age)[0];
  if (behind !== undefined) {
    const limit = maxStaleness === null ? "" : ` At ${maxStaleness} s it refuses every request.`;
    const text = `Node ${behind.name} is ${behind.feed_age.toFixed(1)} s behind on revocations.${limit}`;
    return { level: behind.feed_age > (maxStaleness ?? Number.POSITIVE_INFINITY) ? "problem" : "warning", text };
  }
  const [first] = missing;
  if (first !== undefined) {
    return {
      level: "warning",
      text: `Node ${first.name} has been silent since it last reported. It may have been stopped.`,
    };
  }
  return {
    level: "ok",
    text: nodes.length === 1 ? "The node knows all revocations." : `All ${nodes.length} nodes know all revocations.`,
  };
}

async function readEntries(staff: StaffDeps, filter: AuditFilter, limit: number): Promise<readonly StaffAuditEntry[]> {
  const { rows } = await staff.deps.store.staff.audit(filter, { from: null, isBackward: false, limit, scan: 20_000 });
  const names = await staff.findNames(rows.map(({ row }) => row.userId));
  return rows.map(({ row }) => toAuditBody(row, names));
}

function sum(
  bodies: readonly ReportBody[],
  kind: "logins" | "failed_logins" | "refreshes" | "replays",
): readonly number[] {
  return Array.from({ length: countedMinutes }, (_, index) =>
    bodies.reduce((total, body) => total + (body[kind][index] ?? 0), 0),
  );
}

/** Returns the count of the last minute that is over. */
const lastWhole = (series: readonly number[]) => series.at(-2) ?? 0;
