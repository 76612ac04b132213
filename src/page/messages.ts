import { ClientError, type LogoutReason, type Problem } from "../client/index.ts";

/** The texts that say why the user is no longer logged in. */
export const logoutMessages: Readonly<Record<LogoutReason, string>> = {
  logged_out: "You are logged out.",
  expired: "You are no longer logged in, for example after a period of inactivity. Please log in again.",
  revoked: "This device was logged out remotely. Please log in again.",
  password_changed: "You were logged out because your password was changed.",
  refused: "The server could not confirm your login. Please log in again.",
};

/** The texts by the reason that the server gives on the stream of session events. */
const endMessages: Readonly<Record<string, string>> = {
  reuse:
    "You were logged out because an old token of this session was used again, possibly by an attacker. Please log in again.",
  user_disabled: "You were logged out because your account was disabled.",
  user_deleted: "You were logged out because your account was deleted.",
  limit: "You were logged out because you logged in on too many devices.",
  password_changed: logoutMessages.password_changed,
};

/** Returns why the user is no longer logged in. `end` is the reason that the server gave on the stream. */
export function toLogoutMessage(reason: LogoutReason, end: string | null | undefined): string {
  const isKnown = reason === "revoked" && typeof end === "string" && Object.hasOwn(endMessages, end);
  return (isKnown ? endMessages[end] : undefined) ?? logoutMessages[reason];
}

/** The text that is shown first if a different user from before is now logged in. */
export const replacedMessage = "Another login in this browser has replaced yours.";

/** The texts about problems with the connection. */
export const problemMessages: Readonly<Record<Problem, string>> = {
  offline: "No connection to the server.",
  timeout: "The server is not responding.",
  throttled: "Too many requests. Retrying shortly.",
  unavailable: "The server is temporarily unavailable.",
  refused: "The server could not confirm your login. Retrying shortly.",
  storage_failed: "This device could not store your login.",
  cookies_blocked:
    "Your browser does not keep this site's cookies. Allow cookies, open the site in its own tab, or use https.",
};

/** The texts by error code. For other codes, the server's own text is shown. */
const errorMessages: Readonly<Record<string, string>> = {
  no_active_account: "Wrong username or password.",
  csrf_failed: "Your request could not be verified. Please reload the page and try again.",
  session_changed: `${replacedMessage} Nothing was changed.`,
  cookies_blocked:
    "You can't log in because your browser does not keep this site's cookies. Allow cookies, open the site in a tab of " +
    "its own, or use https.",
  not_found: "That device is already logged out.",
  offline: "Could not reach the server. Please check your connection and try again.",
  timeout: "The server did not respond in time. Please try again.",
  unavailable: "The server is temporarily unavailable. Please try again in a moment.",
};

/** Returns the text to show for an error. */
export function toMessage(error: unknown): string {
  if (!(error instanceof ClientError)) return "Something went wrong. Please try again.";
  return (Object.hasOwn(errorMessages, error.code) ? errorMessages[error.code] : undefined) ?? error.message;
}

/** Returns the problem with the connection, if the error is one. */
export function toProblem(error: unknown): Problem | undefined {
  return error instanceof ClientError && Object.hasOwn(problemMessages, error.code)
    ? (error.code as Problem)
    : undefined;
}
