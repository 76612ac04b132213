import type { Role } from "../core/role.ts";
import type { Deps } from "../flows/deps.ts";
import type { Flows } from "../flows/index.ts";
import type { Authentication } from "../flows/tokens/authenticate.ts";
import type { FindNames } from "./names.ts";

/** The dependencies of the staff API's routes, besides those of all routes. */
export interface StaffDeps {
  /** The dependencies of the flows. */
  readonly deps: Deps;
  /** The flows, bound to their dependencies. */
  readonly flows: Flows;
  /** The path of the staff API, such as "/api/admin". */
  readonly adminPath: string;
  /**
   * Returns the name and the role that a user has now, read from the database, or `null` if the user may not log in or has no role.
   */
  readonly findMember: (userId: string) => Promise<{ readonly username: string; readonly role: Role } | null>;
  /** Returns the role that the application gives a user now, even one who may not log in. Only without roles in tokenpair's own user table. */
  readonly findRole: (userId: string) => Promise<Role | null>;
  /** Whether the roles are in tokenpair's own user table, so that a transaction can check them. */
  readonly hasOwnRoles: boolean;
  /** Returns a signal that aborts when the member's session ends, or with `gone`. */
  readonly signal: (authentication: Authentication, gone: AbortSignal) => AbortSignal;
  /** Finds the names of users in the application's own table. */
  readonly findNames: FindNames;
  /** Called with every error that the client doesn't see. Never throws. */
  readonly onError: (error: unknown) => void;
  /** Counts a request of a member of the staff. @throws AuthError `throttled`. */
  readonly countRequest: (userId: string, isChange: boolean) => Promise<void>;
}

/** How long ago a member of the staff may have been authenticated for a dangerous action, in seconds. */
export const confirmationAge = 600;
