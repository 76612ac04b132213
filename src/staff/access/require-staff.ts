import { requireAuthentication } from "../../core/require-authentication.ts";
import type { Role } from "../../core/role.ts";
import { impersonated } from "../../flows/sessions/actor.ts";
import type { Authentication } from "../../flows/tokens/authenticate.ts";
import { isSafeMethod } from "../../http/cookies/same-origin.ts";
import { authenticateRequest, readCredentials } from "../../http/credentials.ts";
import type { RequestContext } from "../../http/endpoint.ts";
import { RequestError } from "../../http/request/request-error.ts";
import type { Permission } from "../api.ts";
import { confirmationAge, type StaffDeps } from "../staff-deps.ts";
import { isAllowed } from "./permissions.ts";

/** A member of the staff who sent a request. */
export interface Member {
  readonly userId: string;
  readonly username: string;
  readonly sessionId: string;
  readonly role: Role;
  readonly authentication: Authentication;
}

/** What a request of the staff needs. */
export interface StaffRequirement {
  readonly permission: Permission;
  /** Whether the member must have been authenticated within the last ten minutes. Default: false. */
  readonly confirmed?: boolean;
  /** Called when it is known who the caller is, before the role is checked. Default: does nothing. */
  readonly onIdentified?: (caller: Pick<Member, "userId"> & Partial<Pick<Member, "username">>) => void;
}

/**
 * Returns the member of the staff who sent a request: one with a live session, who is active, and whose role, as the database
 * has it now, has the permission.
 *
 * @throws AuthError with the codes of `authenticateRequest`, `impersonated`, `throttled`, or `confirmation_required`.
 * RequestError 403 `not_staff` or `permission_denied`.
 */
export async function requireStaff(
  { adminPath: _, ...staff }: StaffDeps,
  context: RequestContext,
  { permission, confirmed = false, onIdentified }: StaffRequirement,
): Promise<Member> {
  const { request, deps, requireMediaType } = context;
  const credentials = readCredentials(request.headers, deps);
  const options = isSafeMethod(request.method) ? { credentials } : { credentials, requireMediaType };
  const authentication = await authenticateRequest(deps, request, options);
  if (authentication.actor !== null) throw impersonated();
  const { userId, sessionId } = authentication;
  onIdentified?.({ userId });
  await staff.countRequest(userId, !isSafeMethod(request.method));
  const found = await staff.findMember(userId);
  if (found === null) throw notStaff();
  const member = { ...found, userId, sessionId, authentication };
  onIdentified?.(member);
  requirePermission(member, permission);
  if (confirmed) requireAuthentication(authentication, { maxAge: confirmationAge }, staff.deps.clock);
  return member;
}

/** Returns the refusal of a user without a role. */
export const notStaff = () => new RequestError(403, { detail: "Only staff may do this.", code: "not_staff" });

/** Returns the refusal of a member whose role isn't enough. */
export const permissionDenied = (role: Role) =>
  new RequestError(403, { detail: `Your role, ${role}, may not do this.`, code: "permission_denied" });

/** @throws RequestError 403 `permission_denied`. */
export function requirePermission({ role }: Member, permission: Permission): void {
  if (!isAllowed(role, permission)) throw permissionDenied(role);
}
