import { z } from "zod";
import { defineEndpoint, type Endpoint } from "../../http/endpoint.ts";
import { timeSchema } from "../../http/openapi/responses.ts";
import { toJsonResponse } from "../../http/response/json.ts";
import { toPermissions } from "../access/permissions.ts";
import { requireStaff } from "../access/require-staff.ts";
import type { StaffMe } from "../api.ts";
import { confirmationAge, type StaffDeps } from "../staff-deps.ts";
import { permissionSchema, staffEndpoint, staffResponses } from "./responses.ts";

/** The schema of the member. */
export const meSchema = z.object({
  id: z.string(),
  username: z.string(),
  role: z.enum(["viewer", "support", "admin"]),
  permissions: z.array(permissionSchema),
  session_id: z.string(),
  confirmed_until: timeSchema,
  now: timeSchema,
});

/** `GET {adminPath}/me`: returns the member of the staff who sends the request. */
export const createMe = (staff: StaffDeps): Endpoint =>
  defineEndpoint({
    ...staffEndpoint,
    method: "GET",
    path: () => `${staff.adminPath}/me`,
    operationId: "getCurrentStaff",
    summary: "Get the current member of the staff.",
    responses: { ...staffResponses, 200: { description: "The member.", schema: meSchema } },
    async handle(context) {
      const { userId, username, sessionId, role, authentication } = await requireStaff(staff, context, {
        permission: "read",
      });
      const body: StaffMe = {
        id: userId,
        username,
        role,
        permissions: toPermissions(role),
        session_id: sessionId,
        confirmed_until: (authentication.authTime ?? 0) + confirmationAge,
        now: staff.deps.clock.now(),
      };
      return toJsonResponse(200, body);
    },
  });
