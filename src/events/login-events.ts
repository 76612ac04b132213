import type { AuthErrorCode } from "../core/errors.ts";
import type { ClientEvent } from "./base-event.ts";

/** A session was created. */
export interface LoginEvent extends ClientEvent {
  readonly type: "login";
  /** The session's user. */
  readonly userId: string;
  /** The id of the new session. */
  readonly sessionId: string;
}

/**
 * A user logged in with a new user agent. Neither a live session of the user nor the audit log has it. Emitted right after
 * the `login` event.
 */
export interface NewDeviceEvent extends ClientEvent {
  readonly type: "new_device";
  /** The session's user. */
  readonly userId: string;
  /** The id of the new session. */
  readonly sessionId: string;
}

/** A login has passed the password check and waits for a second step. */
export interface LoginPendingEvent extends ClientEvent {
  readonly type: "login_pending";
  /** The user whose password was verified. */
  readonly userId: string;
}

/** A session's user was authenticated again, by the password or by the application. */
export interface SessionConfirmedEvent extends ClientEvent {
  readonly type: "session_confirmed";
  /** The session's user. */
  readonly userId: string;
  /** The session. */
  readonly sessionId: string;
  /** How the user was authenticated: RFC 8176 values with spaces between them. */
  readonly amr: string;
}

/** A login or its second step was refused, or the password of a password change or a confirmation. */
export interface LoginFailedEvent extends ClientEvent {
  readonly type: "login_failed";
  /** The code of the error that the client got. */
  readonly code: AuthErrorCode;
  /** Why it was refused, in words for the log. The client doesn't see this text. */
  readonly reason: string;
  /** The user with this name. Present if the name belongs to a user of tokenpair's own table. */
  readonly userId?: string;
  /** Present if a logged-in user gave a wrong password. */
  readonly sessionId?: string;
}

/** The events of logins, and of confirmations that the user is still there. */
export type LoginEvents = LoginEvent | NewDeviceEvent | LoginPendingEvent | SessionConfirmedEvent | LoginFailedEvent;
