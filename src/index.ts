/** Token-pair authentication: `createAuth`, its types, its error, and the units of its settings. */

export type {
  AnyAuth,
  AnyCheck,
  AuditList,
  AuditListOptions,
  Auth,
  AuthenticationOf,
  AuthOptions,
  AuthSessions,
  AuthThrottle,
  AuthUsers,
  CheckResult,
  ClientOptions,
  Health,
  LoginResult,
  PasswordLoginResult,
  RefreshResult,
  RequestLike,
  RequestOptions,
  SessionPair,
  Stats,
} from "./auth.ts";
export type { AccessClaims, ApplicationClaims, RefreshClaims, TokenPair } from "./core/claims.ts";
export type { ClientInfo } from "./core/client-info.ts";
export { AuthError, type AuthErrorCode, SchemaVersionError, StoreUnavailableError } from "./core/errors.ts";
export { days, hours, minutes } from "./core/settings/durations.ts";
export { defaultSettings, type Settings } from "./core/settings/settings.ts";
export type { Store } from "./core/store/index.ts";
export type { SuspiciousLogin } from "./core/suspicious-login.ts";
export type { AuthUser, User } from "./core/user.ts";
export { createAuth } from "./create-auth.ts";
export type { HashLoad } from "./crypto/passwords/hash-queue.ts";
export type { AuthEvent, EventListener, RefreshOutcome, UserChange } from "./events/events.ts";
export type { Authentication } from "./flows/authenticate.ts";
export type { PasswordChange } from "./flows/change-password.ts";
export type { IssueOptions } from "./flows/issue.ts";
export type { Credentials, LoginOptions } from "./flows/login.ts";
export type { LogoutScope } from "./flows/logout.ts";
export type { RefreshOptions } from "./flows/refresh/report.ts";
export type { SessionView } from "./flows/sessions.ts";
export type { NewUserInput } from "./flows/users.ts";
export type { VerifiedClaims } from "./flows/verify.ts";
export type { HeaderSource } from "./http/request/headers.ts";
