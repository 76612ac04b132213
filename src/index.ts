/** The entry point of the package: `createAuth`, its types and errors, and the units of its settings. */

export type {
  AnyAuth,
  AnyCheck,
  AnyCors,
  AnyPageCheck,
  AnyRoutes,
  AnyStarter,
  Auth,
  AuthenticationOf,
  StartedSessionOf,
} from "./auth.ts";
export type { AuthLogins } from "./auth-logins.ts";
export type { AuthAudit, AuthSessions, AuthThrottle, AuthUsers } from "./auth-management.ts";
export type {
  AuditListOptions,
  AuthOptions,
  CheckOptions,
  CheckPageOptions,
  ClientOptions,
  CorsOptions,
  CsrfCheckOptions,
  PageOptions,
  RequestLike,
  RequestOptions,
  ResumeOptions,
  SignalOptions,
  SocketLike,
  StartSessionOptions,
  UserListOptions,
} from "./auth-options.ts";
export type { AuthPages } from "./auth-pages.ts";
export type {
  AuditList,
  CheckResult,
  CorsResult,
  CsrfTokenResult,
  Health,
  LoginResult,
  PasswordChangeResult,
  PasswordLoginResult,
  ReauthenticationResult,
  RefreshResult,
  SessionPair,
  StartedSession,
  Stats,
} from "./auth-results.ts";
export type { AuthenticationRequirement } from "./core/authentication.ts";
export type { AccessClaims, ApplicationClaims, RefreshClaims, TokenPair } from "./core/claims.ts";
export type { ClientInfo } from "./core/client-info.ts";
export {
  AuthError,
  type AuthErrorCode,
  SchemaVersionError,
  type SecondFactorRequest,
  StoreUnavailableError,
} from "./core/errors.ts";
export type {
  CommitPosition,
  Confirmation,
  FeedBatch,
  FeedCursor,
  FeedPlace,
  FeedState,
  GlobalRevocation,
  Membership,
  RevocableToken,
  Revocation,
  RevocationBase,
  SessionRevocation,
  TokenRevocation,
  UserRevocation,
} from "./core/revocation.ts";
export type { Role } from "./core/role.ts";
export { safeNext } from "./core/safe-next.ts";
export type { RevokeReason, Session } from "./core/session.ts";
export type { AuditSettings, WebhookSettings } from "./core/settings/audit-settings.ts";
export { days, hours, minutes } from "./core/settings/durations.ts";
export type { CookieSettings, HttpSettings, ThrottleSettings } from "./core/settings/http-settings.ts";
export type { LegacyAlgorithm, LegacySettings } from "./core/settings/legacy-settings.ts";
export type {
  Algorithm,
  RevocationSettings,
  SessionSettings,
  TokenSettings,
} from "./core/settings/session-settings.ts";
export { SettingError } from "./core/settings/setting-error.ts";
export { defaultSettings, type Settings } from "./core/settings/settings.ts";
export type {
  FactorAnswer,
  LoginHookSettings,
  PasswordSettings,
  SecondStep,
  SecondStepAnswer,
  UserAnswer,
  UserSettings,
} from "./core/settings/user-settings.ts";
export type {
  AuditCursor,
  AuditEntry,
  AuditOf,
  AuditPage,
  AuditQuery,
  AuditRecord,
  AuditRow,
  AuditStore,
  ErasedUser,
} from "./core/store/audit.ts";
export type { FeedRead, FeedStore, RevokedToken, RevokeTokenOptions } from "./core/store/feed.ts";
export type { Guard, GuardedUser, GuardedUsers } from "./core/store/guard.ts";
export type { DeletedCounts, DeleteExpiredOptions, PoolUsage, Store, WriteProbe } from "./core/store/index.ts";
export type { KeyChange, KeyRecord, KeyRecords, KeyRecordUse, KeyStore, KeyUpdate } from "./core/store/keys.ts";
export type {
  LegacyCounts,
  LegacyStore,
  LegacyToken,
  RedeemedSession,
  RedeemedToken,
  RedeemOutcome,
  RevokedTokens,
  SpentToken,
} from "./core/store/legacy.ts";
export type {
  Acknowledgement,
  NewNode,
  NodeStore,
  RegisteredNode,
  RegistryNode,
  RegistrySnapshot,
} from "./core/store/nodes.ts";
export type { Delivery, OutboxStore } from "./core/store/outbox.ts";
export type {
  ChangedService,
  FoundService,
  NewCredential,
  NewService,
  Service,
  ServiceScope,
  ServiceStore,
} from "./core/store/services.ts";
export type {
  CreatedSession,
  CreateSessionOutcome,
  Decision,
  NewSession,
  Reauthentication,
  RevocationOptions,
  RevokedSessions,
  RevokeSessionOptions,
  Rotation,
  SessionAt,
  SessionList,
  SessionSnapshot,
  SessionStore,
  SessionUse,
  SessionUser,
  Verdict,
} from "./core/store/sessions.ts";
export type {
  AuditFilter,
  ListedAuditEntry,
  ListedSession,
  ListKey,
  ListPart,
  ListResult,
  LiveCounts,
  NodeReport,
  SessionFilter,
  StaffStore,
  UserFilter,
} from "./core/store/staff.ts";
export type { ClearedCounts, CountSnapshot, CountVerdict, FailureCount, ThrottleStore } from "./core/store/throttle.ts";
export type {
  NewTicket,
  RedeemTicketOutcome,
  Ticket,
  TicketAt,
  TicketStore,
} from "./core/store/tickets.ts";
export type {
  ChangedUser,
  ChangeOptions,
  CreateUserOutcome,
  DisabledUser,
  EnabledUser,
  HashFormCount,
  ImportedBatch,
  ImportedUser,
  ImportOutcome,
  KeepSession,
  NewUser,
  UpdatedUser,
  UpdateUserOutcome,
  UserPatch,
  UserStore,
} from "./core/store/users.ts";
export type { SuspiciousLogin } from "./core/suspicious-login.ts";
export {
  type FeedTrace,
  type HashTrace,
  type LoginTrace,
  type RefreshTrace,
  type RequestTrace,
  type RevocationTrace,
  type StoreTrace,
  type TraceError,
  type TraceMessage,
  type TraceMessages,
  type TraceName,
  traceNames,
} from "./core/tracing.ts";
export type { AuthUser, User, UserWithPassword } from "./core/user.ts";
export { createAuth } from "./create-auth.ts";
export type { HashLoad } from "./crypto/passwords/hash-queue.ts";
export type { BaseEvent, ClientEvent } from "./events/base-event.ts";
export type {
  AuditDroppedEvent,
  AuthEvent,
  ClientAddressUnknownEvent,
  CsrfRefusedEvent,
  EventListener,
  EventOfType,
  EventType,
  KeyChangedEvent,
  LegacyKeyEvent,
  RateLimitedEndpoint,
  RefreshEvent,
  RefreshOutcome,
  RehashFailedEvent,
  SessionsRevokedEvent,
  StoreRecoveredEvent,
  StoreUnwritableEvent,
  ThrottledEvent,
  ThrottleScope,
  TokenRevokedEvent,
  UnlockedEvent,
  UntrustedProxyEvent,
  UserChange,
  UserChangedEvent,
  WebhookFailedEvent,
} from "./events/events.ts";
export type {
  FeedEvent,
  FeedRecoveredEvent,
  FeedReloadedEvent,
  FeedStaleEvent,
  ListenLostEvent,
  ListenRecoveredEvent,
  RevocationConfirmedEvent,
} from "./events/feed-events.ts";
export type {
  KeyAddedEvent,
  KeyEvent,
  KeyRetiredEvent,
  KeysRewrappedEvent,
  KeysUnreadableEvent,
  RefreshKeyAdoptedEvent,
  SecretRotatedEvent,
  ServiceAddedEvent,
  ServiceRefusal,
  ServiceRefusedEvent,
  ServiceRevokedEvent,
  ServiceRotatedEvent,
} from "./events/key-events.ts";
export type {
  LoginEvent,
  LoginEvents,
  LoginFailedEvent,
  LoginPendingEvent,
  NewDeviceEvent,
  SessionConfirmedEvent,
} from "./events/login-events.ts";
export type { AuditExportedEvent, StaffEvent, StaffRefusedEvent } from "./events/staff-events.ts";
export type { Confirmed, ConfirmOptions, RevocationRequest, RevokedAndConfirmed } from "./flows/commit.ts";
export type { Credentials, LoginOptions } from "./flows/login.ts";
export type { PasswordChange, PasswordChangeOptions } from "./flows/passwords/change.ts";
export type { ReauthenticationOptions } from "./flows/reauthenticate.ts";
export type { RefreshOptions } from "./flows/refresh/report.ts";
export type { CompleteLoginOptions } from "./flows/second-factor/complete.ts";
export type { LoginTicket } from "./flows/second-factor/ticket.ts";
export type { IssueOptions } from "./flows/sessions/issue.ts";
export type { LogoutOptions, LogoutScope, SessionOwner } from "./flows/sessions/logout.ts";
export type { RevokeOptions, SessionView } from "./flows/sessions/sessions.ts";
export type { Authentication } from "./flows/tokens/authenticate.ts";
export type { VerifiedClaims } from "./flows/tokens/verify.ts";
export type { NewUserInput, UserUpdate } from "./flows/users/user-changes.ts";
export type { ConnectionInfo } from "./http/request/client-ip.ts";
export type { HeaderSource } from "./http/request/headers.ts";
export type { Register, RegisteredAuthentication, RegisteredCheck } from "./register.ts";
export type { SignalEnd } from "./revocation/signals.ts";
export { sharedAuth } from "./shared-auth.ts";
