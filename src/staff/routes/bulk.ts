import { z } from "zod";
import { AuthError, isRefusal, StoreUnavailableError } from "../../core/errors.ts";
import type { Endpoint } from "../../http/endpoint.ts";
import { RequestError } from "../../http/request/request-error.ts";
import { permissionOf } from "../access/allowed-actions.ts";
import { confirmationRequired } from "../access/authorize.ts";
import { isAllowed } from "../access/permissions.ts";
import { permissionDenied } from "../access/require-staff.ts";
import type { BulkResult } from "../api.ts";
import { runEach } from "../run-each.ts";
import type { StaffDeps } from "../staff-deps.ts";
import { confirmationSchema, confirmDone, defineChange, toConfirmedResponse } from "./change.ts";
import { runAccessChange } from "./user-changes.ts";

const actions = ["disable", "enable", "logout", "unlock"] as const;

/** `POST {adminPath}/users/bulk`: does the same to several users, one after the other, and waits for one confirmation at the end. */
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
      confirmed: confirmationSchema,
    }),
    async run(request) {
      const { member, isConfirmed, body } = request;
      const { action } = body;
      if (!isAllowed(member.role, permissionOf[action])) throw permissionDenied(member.role);
      if (action === "disable" && !isConfirmed) throw confirmationRequired();
      const ids = [...new Set(body.ids)];
      const { done, failed, stopped } = await runEach(staff, member, ids, (id) =>
        runAccessChange(staff, { ...request, id }, action, { confirmed: false }),
      );
      // Nothing has changed, so this is an error like any other one.
      if (stopped !== undefined && done.length === 0) throw stopped.error;
      for (const [id, error] of failed) {
        request.report(error, id);
        if (!(error instanceof RequestError || isRefusal(error))) staff.onError(error);
      }
      const isDone = new Set(done);
      const results = ids.map((id) => {
        const error = failed.get(id) ?? (id === stopped?.subject ? stopped.error : undefined);
        if (isDone.has(id)) return { id, ok: true, detail: null };
        return { id, ok: false, detail: error === undefined ? "Not tried." : toDetail(error) };
      });
      const confirmed = action === "disable" || action === "logout" ? await confirmDone(staff, done.length) : null;
      return toConfirmedResponse({ results, confirmed } satisfies BulkResult);
    },
  });

/** Returns what went wrong with one user. */
function toDetail(error: unknown): string {
  if (error instanceof RequestError) return String(error.body["detail"]);
  if (error instanceof AuthError && error.code === "user_not_found") return "Not found.";
  if (error instanceof AuthError && error.code === "confirmation_required")
    return "Confirm that it is you, and try again.";
  if (error instanceof StoreUnavailableError) return "The database didn't answer. Look at the user, and try again.";
  if (isRefusal(error)) return "Your session has ended. Log in, and try again.";
  return "This failed on the server. Look at the user, and try again.";
}
