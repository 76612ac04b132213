import type { User } from "./session-state.ts";
import { type Call, toAnswer, unexpected } from "./transport.ts";

/** What the login form holds. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** Whether the browser keeps the login when it closes. Default: true. Cookies only. */
  readonly remember?: boolean;
}

/** Which sessions a logout ends: this one, all others of the user, or all. */
export type LogoutScope = "local" | "others" | "all";

/** A new access token, as far as the client may know it. */
export interface Grant {
  /** How long the access token lives, in seconds; as long as the last one where the answer does not say. */
  readonly lifetime?: number;
  readonly user?: User | undefined;
  readonly sessionId?: string | undefined;
  /** Bearer mode only. */
  readonly tokens?: { readonly access: string; readonly refresh: string };
}

/** The attempt id for refreshing the token that `mark` stands for. */
export type TakeAttempt = (mark: string) => Promise<string>;

/**
 * How requests prove who sends them: by cookies or by bearer tokens. Nothing here refreshes or tries again, but for one
 * new CSRF token. Every call throws `ClientError` on an answer other than success.
 */
export interface Wire {
  /** Where what authenticates may be sent. */
  readonly origins: readonly string[];
  /** `fetch`, with what authenticates. */
  readonly send: (input: string | Request, init?: RequestInit) => Promise<Response>;
  /** A call to `path` below the auth path. */
  readonly call: Call;
  readonly login: (credentials: Credentials) => Promise<Grant>;
  /** `takeAttempt` gives the attempt id for the token that goes out, once it is known which. */
  readonly refresh: (takeAttempt: TakeAttempt) => Promise<Grant>;
  readonly logout: (scope: LogoutScope) => Promise<void>;
  readonly changePassword: (current: string, next: string) => Promise<Grant>;
  /** The session is another one now: drops what was bound to the old one. */
  readonly forget: () => void;
}

/** Where the server is. URLs without a trailing slash. */
export interface Endpoints {
  readonly origin: string;
  /** The auth path's. */
  readonly auth: string;
  /** The token path's. */
  readonly token: string;
}

/** `{id, username}` where `value` is a user. */
export function toUser(value: unknown): User | undefined {
  const { id, username } = toAnswer(value);
  return typeof id === "string" && typeof username === "string" ? { id, username } : undefined;
}

/** The `id` of a session. */
export function toId(session: unknown): string | undefined {
  const { id } = toAnswer(session);
  return typeof id === "string" ? id : undefined;
}

/** A lifetime in seconds. @throws ClientError `unavailable` where `value` is none. */
export function toLifetime(value: unknown): number {
  const lifetime = Number(value);
  if (lifetime > 0) return lifetime;
  throw unexpected();
}
