import { type Call, toAnswer, unexpected } from "./transport.ts";

/** One of the user's sessions. Times are whole seconds since the epoch, on the server's clock. */
export interface SessionInfo {
  readonly id: string;
  /** Whether it is this one. */
  readonly current: boolean;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  readonly userAgent: string | null;
  readonly ip: string | null;
  readonly label: string | null;
}

/** The user's sessions, on all devices. Every call @throws ClientError. */
export interface UserSessions {
  /** Newest first. */
  list(): Promise<readonly SessionInfo[]>;
  /** At most 100 characters. */
  label(id: string, label: string | null): Promise<SessionInfo>;
  /** @throws ClientError with status 404 where it had ended already. */
  end(id: string): Promise<void>;
}

/** `call` goes to the auth path. */
export function createUserSessions(call: Call): UserSessions {
  return {
    async list() {
      const { sessions } = await call("GET", "sessions/");
      if (!Array.isArray(sessions)) throw unexpected();
      return sessions.map(toSessionInfo);
    },
    label: async (id, label) => toSessionInfo(await call("PATCH", toPath(id), { label })),
    async end(id) {
      await call("DELETE", toPath(id));
    },
  };
}

const toPath = (id: string) => `sessions/${encodeURIComponent(id)}/`;

function toSessionInfo(value: unknown): SessionInfo {
  const { created_at, last_used_at, expires_at, user_agent, ...rest } = toAnswer(value);
  return {
    ...rest,
    createdAt: created_at,
    lastUsedAt: last_used_at,
    expiresAt: expires_at,
    userAgent: user_agent,
  } as SessionInfo;
}
