import { ClientError, isUnauthorized } from "../client-error.ts";
import type { LogoutReason, Problem } from "./session-state.ts";

/** Returns the reason for the logout after the server has said that the session has ended. */
export function toLogoutReason(error: ClientError, wasKnown: boolean): LogoutReason | undefined {
  if (error.code === "password_changed") return "password_changed";
  if (error.code === "not_authenticated") return wasKnown ? "expired" : undefined;
  return error.message === "Token is expired" ? "expired" : "revoked";
}

/**
 * Returns the problem that matches the error of a failed refresh.
 *
 * @throws The error itself if it is a defect.
 */
export function toProblem(error: unknown): Problem {
  if (!(error instanceof ClientError)) throw error;
  const { code, status } = error;
  // Without a response, the code is one of the client's own.
  if (!status) return code as Problem;
  if (status === 429) return "throttled";
  return isUnauthorized(error) ? "refused" : "unavailable";
}
