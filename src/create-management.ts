import type { Auth } from "./auth.ts";
import { toShown } from "./core/settings/faults.ts";
import { requireOptions } from "./core/settings/unknown-options.ts";
import type { Store } from "./core/store/index.ts";
import type { AuthUser } from "./core/user.ts";
import { toOwner, toUserId } from "./core/user-id.ts";
import { requireOwnTable } from "./flows/users/users.ts";
import type { HttpDeps } from "./http/endpoint.ts";

/** Creates the part of `Auth` that manages sessions, users, counts of failed logins, and the audit log. */
export function createManagement(
  { flows, settings }: Pick<HttpDeps, "flows" | "settings">,
  audit: Pick<Store["audit"], "read">,
): Pick<Auth<AuthUser>, "sessions" | "users" | "throttle" | "audit"> {
  return {
    sessions: Object.freeze<Auth["sessions"]>({
      list: async (userId) => flows.listSessions(toUserId(userId, "sessions.list")),
      label: async (session, options) => {
        requireOptions("sessions.label", options, ["label"]);
        return flows.labelSession(toOwner(session, "sessions.label"), options.label);
      },
      revoke: async (sessionId, options = {}) => {
        // A string in place of the options has no `userId`, and would revoke another user's session too.
        requireOptions("sessions.revoke", options, ["userId", "client", "confirmed"]);
        return flows.revokeSession(
          sessionId,
          options.userId === undefined ? options : toOwner(options, "sessions.revoke"),
        );
      },
      revokeAllForUser: async (userId, options) =>
        flows.revokeSessionsForUser(toUserId(userId, "sessions.revokeAllForUser"), options),
      revokeAll: (options) => flows.revokeAllSessions(options),
    }),
    users: Object.freeze<Auth["users"]>({
      create: async (user, options) => {
        requireOwnTable(settings);
        return flows.createUser(user, options);
      },
      find: async (userId) => flows.findUser(toUserId(userId, "users.find")),
      findByName: (username) => flows.findUserByName(username),
      list: async (options) => {
        requireLimit("users.list", options?.limit);
        return flows.listUsers(options);
      },
      update: async (userId, changes, options) => {
        requireOwnTable(settings);
        return flows.updateUser(toUserId(userId, "users.update"), changes, options);
      },
      disable: async (userId, options) => flows.disableUser(toUserId(userId, "users.disable"), options),
      enable: async (userId, options) => flows.enableUser(toUserId(userId, "users.enable"), options),
      setPassword: async (userId, password, options) => {
        requireOwnTable(settings);
        return flows.setPassword(toUserId(userId, "users.setPassword"), password, options);
      },
      delete: async (userId, options) => flows.deleteUser(toUserId(userId, "users.delete"), options),
    }),
    throttle: Object.freeze<Auth["throttle"]>({
      clearUser: async (userId, options) => flows.unlockUser(toUserId(userId, "throttle.clearUser"), options),
      clearAddress: (ip, options) => flows.unlockAddress(ip, options),
    }),
    audit: Object.freeze<Auth["audit"]>({
      list: async ({ after = null, limit = 100, ...query } = {}) => {
        requireLimit("audit.list", limit);
        const owner = query.userId === undefined ? query : toOwner(query, "audit.list");
        return audit.read({ ...owner, after, limit });
      },
      erase: async (userId, options) => {
        const erased = await flows.eraseUser(toUserId(userId, "audit.erase"), options?.client);
        if (erased === null) throw new TypeError("audit.erase: the user exists; call auth.users.delete before");
        return erased;
      },
    }),
  };
}

/** Throws if a limit is not a positive whole number. SQLite would read a negative limit as "no limit". */
function requireLimit(caller: string, limit: unknown = 1): void {
  if (Number.isSafeInteger(limit) && (limit as number) > 0) return;
  throw new TypeError(`${caller}: limit must be a positive whole number, got ${toShown(limit)}`);
}
