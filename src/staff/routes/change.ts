import { z } from "zod";
import type { ClientInfo } from "../../core/client-info.ts";
import { AuthError } from "../../core/errors.ts";
import { defineEndpoint, type Endpoint } from "../../http/endpoint.ts";
import { csrfHeader } from "../../http/openapi/cookie-responses.ts";
import { badRequest, errorSchema, revocationConfirmed } from "../../http/openapi/responses.ts";
import { textField } from "../../http/request/fields.ts";
import { cookieMediaTypes } from "../../http/request/media-types.ts";
import { RequestError } from "../../http/request/request-error.ts";
import { toJsonResponse } from "../../http/response/json.ts";
import { type Member, requireStaff } from "../access/require-staff.ts";
import type { Confirmation, Permission, Revoked } from "../api.ts";
import { mayBeRepeated } from "../repeats.ts";
import { confirmationAge, type StaffDeps } from "../staff-deps.ts";
import { notFound, staffEndpoint, staffResponses } from "./responses.ts";

/** What a change gets from its request. */
export interface ChangeRequest<B> {
  readonly member: Member;
  /** Whether the member was authenticated within the last ten minutes. */
  readonly isConfirmed: boolean;
  readonly body: B;
  /** The id in the path, or "". */
  readonly id: string;
  /** The member and the reason, for the audit log. */
  readonly client: ClientInfo;
  /** Records in the audit log that a change of this target was refused, if the error says so. */
  readonly report: (error: unknown, targetId: string) => void;
}

/** The sender of a request, with what is known of it. */
type Caller = Pick<Member, "userId"> & Partial<Pick<Member, "username">>;

/** An endpoint of the staff API that changes something. */
export interface ChangeDefinition<S extends z.ZodRawShape> {
  readonly method: "POST" | "PATCH" | "DELETE";
  /** The path below that of the staff API, such as "/users/{id}/disable". */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly permission: Permission;
  /** Whether it always needs a recent confirmation. Default: false. */
  readonly needsConfirmation?: boolean;
  /** The fields of the body, besides `reason`. */
  readonly fields: S;
  /** The schema of the answer. */
  readonly answer: z.ZodType;
  readonly run: (request: ChangeRequest<z.infer<z.ZodObject<S>>>) => Promise<Response>;
  /**
   * Answers a request that isn't possible any more because the member has sent it before, and the answer was an error or was lost.
   * Returns `null` if that isn't the case. Default: `run` can be repeated.
   */
  readonly repeat?: (request: ChangeRequest<z.infer<z.ZodObject<S>>>) => Promise<Response | null>;
}

/** The codes of refusals that are worth an audit entry. */
const recordedCodes: ReadonlySet<unknown> = new Set(["not_staff", "permission_denied", "last_admin"]);

/**
 * Defines a change: the checks that all of them have, then `run`. Every change needs a reason, which is recorded in the transaction
 * of the change. Refusals are recorded too.
 */
export function defineChange<const S extends z.ZodRawShape>(staff: StaffDeps, change: ChangeDefinition<S>): Endpoint {
  const { method, operationId, summary, permission, needsConfirmation = false, fields, answer, run, repeat } = change;
  const schema = z.object({ ...fields, reason: textField({ keepSpace: false, maxLength: 500, storable: true }) });
  return defineEndpoint({
    ...staffEndpoint,
    method,
    path: () => `${staff.adminPath}${change.path}`,
    operationId,
    summary,
    headers: [csrfHeader],
    body: { accepts: cookieMediaTypes, schema },
    responses: {
      ...staffResponses,
      200: { description: "Done.", headers: [revocationConfirmed], schema: answer },
      400: badRequest,
      404: notFound,
      409: { description: "The state doesn't allow this.", schema: errorSchema },
    },
    async handle(context) {
      const id = context.params["id"] ?? context.params["kid"] ?? "";
      let caller: Caller | undefined;
      try {
        const member = await requireStaff(staff, context, {
          permission,
          confirmed: needsConfirmation,
          onIdentified: (found) => {
            caller = found;
          },
        });
        const { reason: note, ...body } = (await context.readBody()) as { readonly reason: string };
        const client = { ...context.client, actor: `staff/${member.username}`, note };
        const isConfirmed = staff.deps.clock.now() - (member.authentication.authTime ?? 0) <= confirmationAge;
        const request: ChangeRequest<z.infer<z.ZodObject<S>>> = {
          member,
          isConfirmed,
          body: body as z.infer<z.ZodObject<S>>,
          id,
          client,
          report: (error, targetId) => report(error, member, { id: targetId, client: context.client }),
        };
        try {
          return await run(request);
        } catch (error) {
          const repeated = mayBeRepeated(error) ? await repeat?.(request) : null;
          if (repeated == null) throw error;
          return repeated;
        }
      } catch (error) {
        if (caller !== undefined) report(error, caller, { id, client: context.client });
        throw error;
      }
    },
  });

  function report(error: unknown, caller: Caller, { id, client }: { id: string; client: ClientInfo }): void {
    const code =
      error instanceof RequestError ? error.body["code"] : error instanceof AuthError ? error.code : undefined;
    if (code !== "confirmation_required" && !recordedCodes.has(code)) return;
    staff.deps.emit({
      type: "staff_refused",
      time: staff.deps.clock.now(),
      userId: caller.userId,
      action: operationId,
      code: String(code),
      ...(id === "" ? {} : { targetId: id }),
      client: caller.username === undefined ? client : { ...client, actor: `staff/${caller.username}` },
    });
  }
}

/** The schema of how a revocation was confirmed. */
export const confirmationSchema = z.enum(["acks", "expiry", "pending"]).nullable();

/** The schema of the answer to a change that revokes. */
export const revokedSchema = z.object({ sessions: z.int(), confirmed: confirmationSchema });

/** Returns the answer to a change that revokes. */
export function toRevokedResponse(result: {
  readonly sessions: number;
  readonly confirmed?: Revoked["confirmed"];
}): Response {
  const { sessions, confirmed = null } = result;
  return toConfirmedResponse({ sessions, confirmed } satisfies Revoked);
}

/** Returns the answer to a change, whose header says how the revocation was confirmed. */
export function toConfirmedResponse<B extends { readonly confirmed: Confirmation }>(body: B): Response {
  return toJsonResponse(200, body, body.confirmed === null ? {} : { "Revocation-Confirmed": body.confirmed });
}

/** Waits once until several revocations are in force on every node, unless the settings say not to wait. */
export async function confirmDone({ deps, flows }: StaffDeps, revocations: number): Promise<Confirmation> {
  return revocations === 0 || !deps.settings.confirmRevocations ? null : flows.confirmEarlier();
}
