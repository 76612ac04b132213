import type { Client } from "./client.ts";
import { unexpectedResponse } from "./client-error.ts";
import { internalsOf } from "./internals.ts";
import { toJsonObject } from "./transport/json-call.ts";

/** One of the user's sessions. Times are whole seconds since the epoch, on the server's clock. */
export interface SessionInfo {
  /** The session's id, as in `SessionState.sessionId`. */
  readonly id: string;
  /** Whether this is the session of this client. */
  readonly current: boolean;
  /** When the user logged in. */
  readonly createdAt: number;
  /** When the session was last refreshed. */
  readonly lastUsedAt: number;
  /** When the session expires if it is not refreshed before. */
  readonly expiresAt: number;
  /** The `User-Agent` header of the latest login or refresh, or `null` if it had none. */
  readonly userAgent: string | null;
  /** The IP address of the latest login or refresh, or `null` if it isn't known. */
  readonly ip: string | null;
  /** The name that the user gave this session, or `null` if there is none. */
  readonly label: string | null;
  /** Who acts for the user in this session, for example a support agent, or `null` if it is the user. */
  readonly actor: string | null;
}

/** Lists, names and revokes the sessions of the logged-in user, on all devices. */
export interface UserSessions {
  /**
   * Returns all sessions of the user, newest first.
   *
   * @throws ClientError With a code from the server, or `offline`, `timeout` or `unavailable`.
   * @example
   * for (const { label, userAgent, current } of await userSessions(client).list()) {
   *   render(label ?? userAgent, current);
   * }
   */
  list(): Promise<readonly SessionInfo[]>;
  /**
   * Sets the name of a session and returns the session.
   *
   * @param id The id of one of the user's sessions.
   * @param label At most 100 characters. `null` removes the name.
   * @throws ClientError With status 404 if the user has no such session, or code `invalid` if the name is too long.
   * @example
   * const [newest] = await userSessions(client).list();
   * if (newest) await userSessions(client).label(newest.id, "My laptop");
   */
  label(id: string, label: string | null): Promise<SessionInfo>;
  /**
   * Revokes a session, which logs its device out.
   *
   * @param id The id of one of the user's sessions. To revoke the current one, call `client.logout()` instead.
   * @throws ClientError With status 404 if the user has no such session, for example because it was already revoked.
   * @example
   * const [newest] = await userSessions(client).list();
   * if (newest && !newest.current) await userSessions(client).revoke(newest.id);
   */
  revoke(id: string): Promise<void>;
}

/**
 * Returns functions that list, name and revoke the sessions of the logged-in user, on all devices. In React, `useSessions` is
 * simpler.
 *
 * @param client A client of `createClient` or `createBearerClient`.
 * @example
 * const sessions = userSessions(client);
 * const [newest] = await sessions.list();
 */
export function userSessions(client: Client): UserSessions {
  const { call } = internalsOf(client);
  return {
    async list() {
      const { sessions } = await call("GET", "sessions/");
      if (!Array.isArray(sessions)) throw unexpectedResponse();
      return sessions.map(toSessionInfo);
    },
    label: async (id, label) => toSessionInfo(await call("PATCH", toPath(id), { label })),
    async revoke(id) {
      await call("DELETE", toPath(id));
    },
  };
}

const toPath = (id: string) => `sessions/${encodeURIComponent(id)}/`;

function toSessionInfo(value: unknown): SessionInfo {
  const {
    created_at: createdAt,
    last_used_at: lastUsedAt,
    expires_at: expiresAt,
    user_agent: userAgent,
    ...rest
  } = toJsonObject(value);
  return { ...rest, createdAt, lastUsedAt, expiresAt, userAgent } as SessionInfo;
}
