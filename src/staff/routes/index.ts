import type { Endpoint } from "../../http/endpoint.ts";
import type { StaffDeps } from "../staff-deps.ts";
import { createMe } from "./me.ts";

/** Creates every endpoint of the staff API. */
export function createStaffEndpoints(staff: StaffDeps): readonly Endpoint[] {
  return [createMe(staff)];
}
