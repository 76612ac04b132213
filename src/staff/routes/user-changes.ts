import { z } from "zod";
import { type Role, roles } from "../../core/role.ts";
import type { RevocationRequest } from "../../flows/commit.ts";
import { verifyPassword } from "../../flows/passwords/text.ts";
import { findUser, findUserByName } from "../../flows/users/users.ts";
import type { Endpoint } from "../../http/endpoint.ts";
import { passwordField, textField, usernameField } from "../../http/request/fields.ts";
import { fieldErrors, RequestError } from "../../http/request/request-error.ts";
import { toJsonResponse } from "../../http/response/json.ts";
import { authorize, confirmationRequired, toPermissionGuard } from "../access/authorize.ts";
import { isAllowed } from "../access/permissions.ts";
import { type Member, permissionDenied } from "../access/require-staff.ts";
import { hasJustCreated, hasMade } from "../repeats.ts";
import type { StaffDeps } from "../staff-deps.ts";
import {
  type ChangeRequest,
  confirmDone,
  defineChange,
  revokedSchema,
  toConfirmedResponse,
  toRevokedResponse,
} from "./change.ts";
import { userNotFound } from "./responses.ts";
import { toUserBody, userSchema } from "./users.ts";

const email = textField({ keepSpace: false, maxLength: 254, storable: true }).nullable().optional();
const role = z.enum(roles).nullable().optional();
const newPassword = { password: passwordField.optional(), generate: z.boolean().optional() };

/** Creates the endpoints that create, change and delete users of tokenpair's own table. */
export function createUserChanges(staff: StaffDeps): readonly Endpoint[] {
  return [
    defineChange(staff, {
      method: "POST",
      path: "/users",
      operationId: "createStaffUser",
      summary: "Create a user. A role needs a recent confirmation.",
      permission: "users.write",
      fields: { username: usernameField, email, role, ...newPassword },
      answer: z.object({ user: userSchema, password: z.string().nullable() }),
      async run({ member, isConfirmed, body, client }) {
        requireOwnUsers(staff);
        if (body.role) requireRoleChange(member, isConfirmed);
        const { password, generated } = toPassword(staff, body, { isRequired: false });
        // Hashing the password takes time, in which the member may lose the role.
        const guard = toPermissionGuard(staff, member, body.role ? "staff.write" : "users.write");
        const user = await staff.flows.createUser(
          {
            username: body.username,
            role: body.role ?? null,
            ...(body.email == null ? {} : { email: body.email }),
            ...(password === undefined ? {} : { password }),
          },
          { client, guard },
        );
        return toJsonResponse(200, { user: toUserBody(user), password: generated });
      },
      repeat: (request) => repeatCreation(staff, request),
    }),
    defineChange(staff, {
      method: "PATCH",
      path: "/users/{id}",
      operationId: "updateStaffUser",
      summary: "Change a user's email address or role. A role needs a recent confirmation.",
      permission: "users.write",
      fields: { email, role },
      answer: userSchema,
      async run(request) {
        requireOwnUsers(staff);
        const { member, isConfirmed, body, client } = request;
        if (body.role !== undefined) requireRoleChange(member, isConfirmed);
        const guard = await authorize(staff, request, {
          targetId: request.id,
          action: body.role === undefined ? "update" : "role",
          removesAdmin: body.role !== undefined && body.role !== "admin",
        });
        const changes = {
          ...(body.email === undefined ? {} : { email: body.email }),
          ...(body.role === undefined ? {} : { role: body.role }),
        };
        return toJsonResponse(200, toUserBody(await staff.flows.updateUser(request.id, changes, { client, guard })));
      },
    }),
    defineChange(staff, {
      method: "POST",
      path: "/users/{id}/set-password",
      operationId: "setStaffUserPassword",
      summary: "Set a user's password, or generate one. Revokes all of the user's sessions.",
      permission: "users.write",
      needsConfirmation: true,
      fields: newPassword,
      answer: revokedSchema.extend({ password: z.string().nullable() }),
      async run(request) {
        requireOwnUsers(staff);
        const guard = await authorize(staff, request, { targetId: request.id, action: "set-password" });
        const { password = "", generated } = toPassword(staff, request.body, { isRequired: true });
        const revoked = await staff.flows.setPassword(request.id, password, { client: request.client, guard });
        const { sessions, confirmed = null } = revoked;
        return toConfirmedResponse({ sessions, confirmed, password: generated });
      },
    }),
    defineChange(staff, {
      method: "DELETE",
      path: "/users/{id}",
      operationId: "deleteStaffUser",
      summary: "Delete a user. The body repeats the username.",
      permission: "users.delete",
      needsConfirmation: true,
      fields: { username: usernameField },
      answer: revokedSchema,
      async run(request) {
        requireOwnUsers(staff);
        const change = { targetId: request.id, action: "delete", removesAdmin: true } as const;
        const guard = await authorize(staff, request, change);
        const user = await findUser(staff.deps, request.id);
        if (user === null) throw userNotFound();
        if (user.username !== request.body.username) {
          throw fieldErrors({ username: ["This isn't the user's name. Type it exactly."] });
        }
        return toRevokedResponse(await staff.flows.deleteUser(request.id, { client: request.client, guard }));
      },
      async repeat(request) {
        const filter = { types: ["user_changed"], userId: request.id };
        if (!(await hasMade(staff, request, filter, ({ details }) => details["change"] === "deleted"))) return null;
        return toRevokedResponse({ sessions: 0, confirmed: await confirmDone(staff, 1) });
      },
    }),
    ...createAccessChanges(staff),
  ];
}

interface NewUser {
  readonly username: string;
  readonly email?: string | null | undefined;
  readonly role?: Role | null | undefined;
  readonly password?: string | undefined;
  readonly generate?: boolean | undefined;
}

/** Answers a repeated request to create a user. A generated password was lost with the first answer, so it gets another one. */
async function repeatCreation(staff: StaffDeps, request: ChangeRequest<NewUser>): Promise<Response | null> {
  const { username, email: address = null, role: given = null, password, generate = false } = request.body;
  const user = await findUserByName(staff.deps, username);
  const isSame = user?.username === username && user.email === address && user.role === given;
  // Only an untouched user is the one that the first request has made.
  if (!isSame || !(await hasJustCreated(staff, request, user.id))) return null;
  const { generated } = toPassword(staff, { generate }, { isRequired: false });
  if (generated !== null) {
    const guard = await authorize(staff, request, { targetId: user.id, action: "set-password" });
    await staff.flows.setPassword(user.id, generated, { client: request.client, guard });
  } else if (!(await hasPassword(staff, user.id, password))) return null;
  return toJsonResponse(200, { user: toUserBody(user), password: generated });
}

/** Returns whether a user of tokenpair's own table has this password or, without one, none. */
async function hasPassword({ deps }: StaffDeps, userId: string, password: string | undefined): Promise<boolean> {
  const { passwordHash = null } = (await deps.store.users.findById(userId)) ?? {};
  if (password === undefined) return passwordHash === null;
  return (await verifyPassword(deps.passwords, passwordHash, password)) !== null;
}

/** Creates the endpoints that also work with users of the application's own table. */
function createAccessChanges(staff: StaffDeps): readonly Endpoint[] {
  return [
    defineChange(staff, {
      method: "POST",
      path: "/users/{id}/disable",
      operationId: "disableStaffUser",
      summary: "Disable a user. Revokes all of the user's sessions.",
      permission: "users.write",
      needsConfirmation: true,
      fields: {},
      answer: revokedSchema,
      async run(request) {
        return toRevokedResponse(await runAccessChange(staff, request, "disable"));
      },
    }),
    defineChange(staff, {
      method: "POST",
      path: "/users/{id}/enable",
      operationId: "enableStaffUser",
      summary: "Enable a user. Revoked sessions stay revoked.",
      permission: "users.write",
      fields: {},
      answer: z.object({}),
      async run(request) {
        await runAccessChange(staff, request, "enable");
        return toJsonResponse(200, {});
      },
    }),
    defineChange(staff, {
      method: "POST",
      path: "/users/{id}/unlock",
      operationId: "unlockStaffUser",
      summary: "Clear the counts of a user's failed logins.",
      permission: "users.write",
      fields: {},
      answer: z.object({ cleared: z.int() }),
      async run(request) {
        const { cleared } = await runAccessChange(staff, request, "unlock");
        return toJsonResponse(200, { cleared });
      },
    }),
    defineChange(staff, {
      method: "POST",
      path: "/users/{id}/logout",
      operationId: "logOutStaffUser",
      summary: "Revoke all sessions of a user.",
      permission: "sessions.revoke",
      fields: {},
      answer: revokedSchema,
      async run(request) {
        return toRevokedResponse(await runAccessChange(staff, request, "logout"));
      },
    }),
  ];
}

/**
 * Disables, enables, logs out or unlocks a user.
 *
 * @param options.confirmed whether to wait until every node has applied a revocation. Default: as the setting says.
 * @throws as `authorize`.
 */
export async function runAccessChange(
  staff: StaffDeps,
  request: Omit<ChangeRequest<unknown>, "body">,
  action: "disable" | "enable" | "logout" | "unlock",
  options: Pick<RevocationRequest, "confirmed"> = {},
): Promise<{
  readonly sessions: number;
  readonly cleared: number;
  readonly confirmed?: "acks" | "expiry" | "pending";
}> {
  const { id, client } = request;
  const guard = await authorize(staff, request, { targetId: id, action, removesAdmin: action === "disable" });
  const nothing = { sessions: 0, cleared: 0 };
  switch (action) {
    case "disable":
      return { ...nothing, ...(await staff.flows.disableUser(id, { client, guard, ...options })) };
    case "logout":
      return { ...nothing, ...(await staff.flows.revokeSessionsForUser(id, { client, guard, ...options })) };
    case "enable":
      await staff.flows.enableUser(id, { client, guard });
      return nothing;
    case "unlock":
      return { ...nothing, cleared: await staff.flows.unlockUser(id, { client, guard }) };
  }
}

function requireRoleChange({ role: own }: Member, isConfirmed: boolean): void {
  if (!isAllowed(own, "staff.write")) throw permissionDenied(own);
  if (!isConfirmed) throw confirmationRequired();
}

/** @throws RequestError 404 if the users are in the application's own table. */
function requireOwnUsers({ deps }: StaffDeps): void {
  if (!deps.users.isOwn) throw new RequestError(404, { detail: "Your application has the users.", code: "not_found" });
}

/** The number of random bytes of a generated password. */
const generatedBytes = 15;

/** Returns the password to set, and the same one if it was generated. @throws RequestError 400. */
function toPassword(
  { deps }: StaffDeps,
  { password, generate = false }: { readonly password?: string | undefined; readonly generate?: boolean | undefined },
  { isRequired }: { readonly isRequired: boolean },
): { readonly password: string | undefined; readonly generated: string | null } {
  if (generate && password !== undefined)
    throw fieldErrors({ password: ["Give a password or generate one, not both."] });
  if (!generate && password === undefined && isRequired)
    throw fieldErrors({ password: ["Give a password, or generate one."] });
  if (!generate) return { password, generated: null };
  const generated = Buffer.from(deps.random(generatedBytes)).toString("base64url");
  return { password: generated, generated };
}
