import type { User } from "../core/user.ts";
import type { SessionView } from "../flows/sessions/sessions.ts";

/** Converts a user to JSON, with the names of the HTTP API and times in whole seconds since the epoch. */
export function toUserJson(user: User): Readonly<Record<string, unknown>> {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    is_active: user.isActive,
    role: user.role,
    created_at: user.createdAt,
    last_login_at: user.lastLoginAt,
  };
}

/** Converts a session to JSON, with the names of the HTTP API and times in whole seconds since the epoch. */
export function toSessionJson(session: SessionView): Readonly<Record<string, unknown>> {
  return {
    id: session.id,
    user_id: session.userId,
    created_at: session.createdAt,
    last_used_at: session.lastUsedAt,
    expires_at: session.expiresAt,
    user_agent: session.userAgent,
    ip: session.ip,
    label: session.label,
    authenticated_at: session.authenticatedAt,
    amr: session.amr,
    actor: session.actor,
  };
}
