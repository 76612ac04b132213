import { ClientError, type EndReason, type Problem } from "../client/index.ts";

/** Why nobody is logged in any more. */
export const endings: Readonly<Record<EndReason, string>> = {
  logged_out: "You are logged out.",
  expired: "You were away for long, so you were logged out. Please log in again.",
  revoked: "This device was logged out from elsewhere.",
  password_changed: "The password was changed, so this device was logged out.",
};

/** What is the matter with the connection. */
export const problems: Readonly<Record<Problem, string>> = {
  offline: "No connection to the server.",
  timeout: "The server is slow to answer.",
  throttled: "The server asks for a little patience.",
  unavailable: "The server is not available just now.",
};

const refusals: Readonly<Record<string, string>> = {
  no_active_account: "Wrong username or password.",
  csrf_failed: "The server could not tell that this page sent the request. Please reload the page and try again.",
  session_not_found: "That device is logged out already.",
  offline: "The server could not be reached. Please check the connection and try again.",
  timeout: "The server did not answer in time. Please try again.",
  unavailable: "The server is not available just now. Please try again in a moment.",
};

/** What went wrong, for the person who asked for it. */
export function toMessage(error: unknown): string {
  if (!(error instanceof ClientError)) return "Something went wrong. Please try again.";
  return (Object.hasOwn(refusals, error.code) ? refusals[error.code] : undefined) ?? error.message;
}

/** The problem that an error stands for, if it is one of the connection. */
export function toProblem(error: unknown): Problem | undefined {
  return error instanceof ClientError && Object.hasOwn(problems, error.code) ? (error.code as Problem) : undefined;
}
