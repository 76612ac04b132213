import { z } from "zod";
import { defineEndpoint, type Endpoint } from "../../http/endpoint.ts";
import { timeSchema } from "../../http/openapi/responses.ts";
import { toJsonResponse } from "../../http/response/json.ts";
import { requireStaff } from "../access/require-staff.ts";
import type { StaffHealth } from "../api.ts";
import type { StaffDeps } from "../staff-deps.ts";
import { staffEndpoint, staffResponses } from "./responses.ts";

const settingSchema = z.object({ name: z.string(), value: z.string(), is_set: z.boolean() });

/** The schema of the state of a node. */
export const healthSchema = z.object({
  now: timeSchema,
  node: z.string(),
  checks: z.array(z.object({ name: z.string(), level: z.enum(["pass", "warning", "fail"]), text: z.string() })),
  settings: z.array(settingSchema),
  database: z.array(z.object({ name: z.string(), value: z.string() })),
});

/** Creates the endpoints `GET {adminPath}/health` and `GET {adminPath}/settings`, which describe the node that answers. */
export function createHealthEndpoints(
  staff: StaffDeps,
  readHealth: () => Promise<StaffHealth>,
  settings: StaffHealth["settings"],
): readonly Endpoint[] {
  return [
    defineEndpoint({
      ...staffEndpoint,
      method: "GET",
      path: () => `${staff.adminPath}/health`,
      operationId: "getStaffHealth",
      summary: "Get the findings of `tokenpair doctor` for the node that answers.",
      responses: { ...staffResponses, 200: { description: "The findings.", schema: healthSchema } },
      async handle(context) {
        await requireStaff(staff, context, { permission: "read" });
        return toJsonResponse(200, await readHealth());
      },
    }),
    defineEndpoint({
      ...staffEndpoint,
      method: "GET",
      path: () => `${staff.adminPath}/settings`,
      operationId: "listStaffSettings",
      summary: "List the settings of the node that answers, without secrets.",
      responses: {
        ...staffResponses,
        200: { description: "The settings.", schema: z.object({ results: z.array(settingSchema) }) },
      },
      async handle(context) {
        await requireStaff(staff, context, { permission: "read" });
        return toJsonResponse(200, { results: settings });
      },
    }),
  ];
}
