import type { Endpoint } from "../../http/endpoint.ts";
import type { AuditFollower } from "../audit/audit-follower.ts";
import { createHealthReader } from "../health/health.ts";
import type { ServerParts } from "../server-parts.ts";
import { toStaffSettings } from "../settings-view.ts";
import type { StaffDeps } from "../staff-deps.ts";
import { createAuditList } from "./audit.ts";
import { createAuditExport } from "./audit-export.ts";
import { createAuditStream } from "./audit-stream.ts";
import { createBulkChange } from "./bulk.ts";
import { createHealthEndpoints } from "./health.ts";
import { createKeyChanges } from "./key-changes.ts";
import { createKeysList } from "./keys.ts";
import { createMe } from "./me.ts";
import { createNodesList, createOverview } from "./overview.ts";
import { createSessionChanges } from "./session-changes.ts";
import { createSessionsList } from "./sessions.ts";
import { createUserChanges } from "./user-changes.ts";
import { createUserShow, createUsersList } from "./users.ts";

/** Creates every endpoint of the staff API. */
export function createStaffEndpoints(
  staff: StaffDeps,
  follower: AuditFollower,
  server?: ServerParts,
): readonly Endpoint[] {
  const settings = [...toStaffSettings(staff.deps.settings), ...(server?.settings ?? [])];
  return [
    createMe(staff),
    createUsersList(staff),
    // Before the paths with an id.
    createBulkChange(staff),
    createUserShow(staff),
    createSessionsList(staff),
    createAuditList(staff),
    createAuditStream(staff, follower),
    createAuditExport(staff),
    createOverview(staff),
    createNodesList(staff),
    ...createUserChanges(staff),
    ...createSessionChanges(staff),
    ...createHealthEndpoints(staff, createHealthReader(staff.deps, server), settings),
    createKeysList(staff),
    ...createKeyChanges(staff),
  ];
}
