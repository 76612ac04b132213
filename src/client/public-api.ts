export type { BaseClientOptions, Client, LogoutResult, PasswordChange } from "./client.ts";
export { ClientError, type ClientErrorDetails } from "./client-error.ts";
export type { Countdown } from "./session/schedule.ts";
export type {
  AnonymousState,
  AuthenticatedState,
  LoadingState,
  LogoutReason,
  Problem,
  SessionState,
  User,
} from "./session/session-state.ts";
export type { Credentials, LoginContinuation, LogoutScope, TokenPair } from "./transport/transport.ts";
export { type SessionInfo, type UserSessions, userSessions } from "./user-sessions.ts";
export { type SessionEnd, type WatchedClient, type WatchSessionOptions, watchSession } from "./watch-session.ts";
