import { z } from "zod";
import { roles } from "../../core/role.ts";
import type { User } from "../../core/user.ts";
import { toUsernameKey } from "../../core/username.ts";
import { readAccountState } from "../../flows/throttling/account-state.ts";
import { toKeyOfName, toKeyOfUser } from "../../flows/throttling/unlock.ts";
import { defineEndpoint, type Endpoint } from "../../http/endpoint.ts";
import { timeSchema } from "../../http/openapi/responses.ts";
import { fieldErrors } from "../../http/request/request-error.ts";
import { toJsonResponse } from "../../http/response/json.ts";
import { toAllowedActions, userActions } from "../access/allowed-actions.ts";
import { requireStaff } from "../access/require-staff.ts";
import type { StaffUser, StaffUserDetail } from "../api.ts";
import { type KeyShape, readListRequest, toListQuery } from "../paging.ts";
import type { StaffDeps } from "../staff-deps.ts";
import { notFound, pageSchema, staffEndpoint, staffResponses, userNotFound } from "./responses.ts";

const flag = z.enum(["true", "false"]).transform((text) => text === "true");

const filters = {
  search: z.string().max(254).optional().meta({
    description: "The beginning of a name, or of an email address if it contains @.",
  }),
  username: z
    .string()
    .max(254)
    .optional()
    .meta({ description: "The whole name of a user. Not together with `search`." }),
  is_active: flag.optional().meta({ description: "`true` or `false`." }),
  role: z
    .enum([...roles, "none"])
    .optional()
    .meta({ description: "A role, or `none`." }),
};

/** The schema of a user in a list. */
export const userSchema = z.object({
  id: z.string(),
  username: z.string(),
  email: z.string().nullable(),
  is_active: z.boolean(),
  role: z.enum(roles).nullable(),
  created_at: timeSchema,
  last_login_at: timeSchema.nullable(),
});

/** The schema of a user with what the caller may do. */
export const userDetailSchema = userSchema.extend({
  has_password: z.boolean(),
  password_format: z.string().nullable(),
  live_sessions: z.int(),
  failed_logins: z.object({
    account: z.int(),
    limit: z.int(),
    locked_for: z.enum(["none", "unknown_devices", "all_devices"]),
  }),
  allowed: z.array(z.enum(userActions)),
});

/** By the name, by the email address and then the position, or by the position. */
function toKeyShape({ search, username }: { readonly [name in "search" | "username"]?: string | undefined }): KeyShape {
  if (username !== undefined) return ["string"];
  if (search === undefined) return ["number"];
  return search.includes("@") ? ["string", "number"] : ["string"];
}

/** `GET {adminPath}/users`: lists users. */
export const createUsersList = (staff: StaffDeps): Endpoint =>
  defineEndpoint({
    ...staffEndpoint,
    method: "GET",
    path: () => `${staff.adminPath}/users`,
    operationId: "listStaffUsers",
    summary: "List users, newest first; with `search`, by name or email address.",
    query: toListQuery(filters),
    responses: { ...staffResponses, 200: { description: "A page.", schema: pageSchema(userSchema) } },
    async handle(context) {
      await requireStaff(staff, context, { permission: "read" });
      const { filter, part, toPage } = readListRequest(context.request.url, filters, toKeyShape);
      const { search, username, is_active: isActive, role } = filter;
      if (search !== undefined && username !== undefined)
        throw fieldErrors({ username: ["Not together with search."] });
      const { usernameCaseSensitive } = staff.deps.settings;
      const prefix =
        search === undefined
          ? { nameKey: username === undefined ? undefined : toUsernameKey(username, usernameCaseSensitive) }
          : search.includes("@")
            ? { emailPrefix: search }
            : { namePrefix: toUsernameKey(search, usernameCaseSensitive) };
      const found = await staff.deps.store.staff.users({ ...prefix, isActive, role }, part);
      const names = await staff.findNames(found.rows.map(({ row }) => row.id));
      return toJsonResponse(
        200,
        toPage(found, (user) => toUserBody(user, names)),
      );
    },
  });

/** `GET {adminPath}/users/{id}`: returns one user, with what the caller may do. */
export const createUserShow = (staff: StaffDeps): Endpoint =>
  defineEndpoint({
    ...staffEndpoint,
    method: "GET",
    path: () => `${staff.adminPath}/users/{id}`,
    operationId: "getStaffUser",
    summary: "Get a user, with failed logins and what the caller may do.",
    responses: { ...staffResponses, 200: { description: "The user.", schema: userDetailSchema }, 404: notFound },
    async handle(context) {
      const member = await requireStaff(staff, context, { permission: "read" });
      return toJsonResponse(200, await readUser(staff, member, context.params["id"] ?? ""));
    },
  });

/**
 * Reads one user as the staff sees it.
 *
 * @throws RequestError 404.
 */
export async function readUser(
  { deps, hasOwnRoles, findRole, findNames }: StaffDeps,
  member: Parameters<typeof toAllowedActions>[0],
  id: string,
): Promise<StaffUserDetail> {
  const found = await deps.store.users.findById(id);
  if (found === null) throw userNotFound();
  const { passwordHash, ...user } = found;
  const { sessions } = await deps.store.sessions.list({ userId: id, limit: 1_000 });
  const names = await findNames([id]);
  // The failures of a user of the application's are counted under the name.
  const accountKey = deps.users.isOwn ? toKeyOfUser(id) : toKeyOfName(deps, names.get(id) ?? "");
  const { failures, lockedFor } = await readAccountState(deps, accountKey);
  return {
    ...toUserBody(user, names),
    has_password: passwordHash !== null,
    password_format: toFormat(passwordHash),
    live_sessions: sessions.length,
    failed_logins: {
      account: failures,
      limit: deps.settings.maxLoginFailures,
      locked_for: lockedFor,
    },
    allowed: toAllowedActions(member, hasOwnRoles ? user : { id, role: await findRole(id) }),
  };
}

/**
 * Converts a user to the body of the API.
 *
 * @param names the names of users in the application's own table. Without a name, the id is used.
 */
export function toUserBody(user: User, names: ReadonlyMap<string, string> = new Map()): StaffUser {
  return {
    id: user.id,
    username: user.username || (names.get(user.id) ?? user.id),
    email: user.email,
    is_active: user.isActive,
    role: user.role,
    created_at: user.createdAt,
    last_login_at: user.lastLoginAt,
  };
}

/** Returns the name of a hash's format, which is the part before its parameters. */
function toFormat(hash: string | null): string | null {
  return hash === null ? null : (/^\$?([A-Za-z0-9_]+)\$/.exec(hash)?.[1] ?? "unknown");
}
