import type { Endpoint } from "../../http/endpoint.ts";
import type { StaffDeps } from "../staff-deps.ts";
import { createAuditList } from "./audit.ts";
import { createMe } from "./me.ts";
import { createSessionsList } from "./sessions.ts";
import { createUserShow, createUsersList } from "./users.ts";

/** Creates every endpoint of the staff API. */
export function createStaffEndpoints(staff: StaffDeps): readonly Endpoint[] {
  return [
    createMe(staff),
    createUsersList(staff),
    createUserShow(staff),
    createSessionsList(staff),
    createAuditList(staff),
  ];
}
