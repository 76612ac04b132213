import { z } from "zod";
import { AuthError } from "../../core/errors.ts";
import type { Endpoint } from "../../http/endpoint.ts";
import { RequestError } from "../../http/request/request-error.ts";
import { toJsonResponse } from "../../http/response/json.ts";
import { permissionOf } from "../allowed-actions.ts";
import type { BulkResult } from "../api.ts";
import { confirmationRequired } from "../guards.ts";
import { isAllowed } from "../permissions.ts";
import { permissionDenied } from "../require-staff.ts";
import type { StaffDeps } from "../staff-deps.ts";
import { defineChange } from "./change.ts";
import { runAccessChange } from "./user-changes.ts";

const actions = ["disable", "enable", "logout", "unlock"] as const;

/** `POST {adminPath}/users/bulk`: does the same to several users, one after the other. */
export const createBulkChange = (staff: StaffDeps): Endpoint =>
  defineChange(staff, {
    method: "POST",
    path: "/users/bulk",
    operationId: "changeStaffUsers",
    summary: "Do the same to at most 100 users. Each has its own result.",
    permission: "sessions.revoke",
    fields: {
      action: z.enum(actions),
      ids: z.array(z.string().max(128)).min(1).max(100),
    },
    answer: z.object({
      results: z.array(z.object({ id: z.string(), ok: z.boolean(), detail: z.string().nullable() })),
    }),
    async run(request) {
      const { member, isConfirmed, body } = request;
      if (!isAllowed(member.role, permissionOf[body.action])) throw permissionDenied(member.role);
      if (body.action === "disable" && !isConfirmed) throw confirmationRequired();
      const results: BulkResult["results"][number][] = [];
      for (const id of new Set(body.ids)) {
        try {
          await runAccessChange(staff, { ...request, id }, body.action);
          results.push({ id, ok: true, detail: null });
        } catch (error) {
          results.push({ id, ok: false, detail: toDetail(error) });
          request.report(error, id);
        }
      }
      return toJsonResponse(200, { results } satisfies BulkResult);
    },
  });

/** Returns what went wrong with one user. Any other error ends the whole request. */
function toDetail(error: unknown): string {
  if (error instanceof RequestError) return String(error.body["detail"]);
  if (error instanceof AuthError && error.code === "user_not_found") return "Not found.";
  if (error instanceof AuthError && error.code === "confirmation_required")
    return "Confirm that it is you, and try again.";
  throw error;
}
