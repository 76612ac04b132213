import { listActivity } from "./activity.ts";
import { authenticate, isStillValid, needsRefresh } from "./authenticate.ts";
import { authenticateService } from "./authenticate-service.ts";
import { confirmEarlier } from "./confirm-earlier.ts";
import type { Deps } from "./deps.ts";
import { eraseUser } from "./erase-user.ts";
import { introspect } from "./introspect.ts";
import { issue } from "./issue.ts";
import { isLoggedOut, logout, logoutByRefreshToken } from "./logout.ts";
import { changePassword } from "./passwords/change.ts";
import { repeatPasswordChange } from "./passwords/repeat-change.ts";
import { readPublicClaims } from "./public-claims.ts";
import { reauthenticate, reauthenticateByPassword } from "./reauthenticate.ts";
import { isSessionOfExpiredTokenOver, verifyRefreshToken } from "./refresh/refresh.ts";
import { revokePresented } from "./revoke-presented.ts";
import { completeLogin, continueLogin } from "./second-factor/complete.ts";
import { findTicket } from "./second-factor/ticket.ts";
import {
  findSession,
  labelSession,
  listSessions,
  revokeAllSessions,
  revokeSession,
  revokeSessions,
  revokeSessionsForUser,
  revokeToken,
} from "./sessions.ts";
import { traceLogin, traceRefresh, traceVerifiedRefresh } from "./traced.ts";
import { unlockAddress, unlockUser } from "./unlock.ts";
import { findCurrentUser } from "./user-source.ts";
import {
  createUser,
  deleteUser,
  disableUser,
  enableUser,
  findUser,
  findUserByName,
  listUsers,
  setPassword,
  updateUser,
} from "./users.ts";
import { verify } from "./verify.ts";

const flows = {
  authenticate,
  authenticateService,
  changePassword,
  completeLogin,
  confirmEarlier,
  continueLogin,
  createUser,
  deleteUser,
  disableUser,
  enableUser,
  eraseUser,
  findCurrentUser,
  findSession,
  findTicket,
  findUser,
  findUserByName,
  isSessionOfExpiredTokenOver,
  isLoggedOut,
  isStillValid,
  needsRefresh,
  introspect,
  issue,
  labelSession,
  listActivity,
  listSessions,
  listUsers,
  login: traceLogin,
  logout,
  logoutByRefreshToken,
  readPublicClaims,
  refresh: traceRefresh,
  refreshVerified: traceVerifiedRefresh,
  reauthenticate,
  reauthenticateByPassword,
  repeatPasswordChange,
  revokeAllSessions,
  revokePresented,
  revokeSession,
  revokeSessions,
  revokeSessionsForUser,
  revokeToken,
  setPassword,
  unlockAddress,
  unlockUser,
  updateUser,
  verify,
  verifyRefreshToken,
} as const;

type Bound<F> = F extends (deps: never, ...args: infer A) => infer R ? (...args: A) => R : never;

/** All use cases, bound to their dependencies. Routes and `createAuth` can do nothing else. */
export type Flows = { readonly [K in keyof typeof flows]: Bound<(typeof flows)[K]> };

/** Binds every flow to `deps`. */
export function bindFlows(deps: Deps): Flows {
  const entries: readonly [string, (...args: never[]) => unknown][] = Object.entries(flows);
  const bound = entries.map(([name, flow]) => [name, flow.bind(null, deps as never)]);
  return Object.freeze(Object.fromEntries(bound)) as Flows;
}
