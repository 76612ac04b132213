import type { Role } from "../core/role.ts";
import type { Authentication } from "../flows/authenticate.ts";
import type { Deps } from "../flows/deps.ts";

/** The dependencies of the staff API's routes, besides those of all routes. */
export interface StaffDeps {
  /** The dependencies of the flows. */
  readonly deps: Deps;
  /** The path of the staff API, such as "/api/admin". */
  readonly adminPath: string;
  /** Returns the role that a user has now, read from the database, or `null` if the user may not log in or has none. */
  readonly findRole: (userId: string) => Promise<Role | null>;
  /** Returns a signal that aborts when the member's session ends. */
  readonly signal: (authentication: Authentication) => AbortSignal;
  /** Counts a request of a member of the staff. @throws AuthError `throttled`. */
  readonly countRequest: (userId: string, isChange: boolean) => Promise<void>;
}

/** How long ago a member of the staff may have been authenticated for a dangerous action, in seconds. */
export const confirmationAge = 600;
