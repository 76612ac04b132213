import { listActivity } from "./activity.ts";
import { confirmEarlier } from "./confirm-earlier.ts";
import type { Deps } from "./deps.ts";
import { changePassword } from "./passwords/change.ts";
import { repeatPasswordChange } from "./passwords/repeat-change.ts";
import { reauthenticate, reauthenticateByPassword } from "./reauthenticate.ts";
import { isSessionOfExpiredTokenOver, verifyRefreshToken } from "./refresh/refresh.ts";
import { completeLogin, continueLogin } from "./second-factor/complete.ts";
import { findTicket } from "./second-factor/ticket.ts";
import { authenticateService } from "./services/authenticate-service.ts";
import { issue } from "./sessions/issue.ts";
import { isLoggedOut, logout, logoutByRefreshToken } from "./sessions/logout.ts";
import {
  findSession,
  labelSession,
  listSessions,
  revokeAllSessions,
  revokeSession,
  revokeSessions,
  revokeSessionsForUser,
  revokeToken,
} from "./sessions/sessions.ts";
import { unlockAddress, unlockUser } from "./throttling/unlock.ts";
import { authenticate, isStillValid, needsRefresh } from "./tokens/authenticate.ts";
import { introspect } from "./tokens/introspect.ts";
import { readPublicClaims } from "./tokens/public-claims.ts";
import { revokePresented } from "./tokens/revoke-presented.ts";
import { verify } from "./tokens/verify.ts";
import { traceLogin, traceRefresh, traceVerifiedRefresh } from "./traced.ts";
import { eraseUser } from "./users/erase-user.ts";
import { findCurrentUser } from "./users/user-source.ts";
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
} from "./users/users.ts";

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
