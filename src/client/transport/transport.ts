import { unexpectedResponse } from "../client-error.ts";
import type { Environment, Page } from "../environment.ts";
import type { User } from "../session/session-state.ts";
import { type CallOptions, type JsonCall, type Send, toJsonObject } from "./json-call.ts";

/** What a user enters to log in. */
export interface Credentials {
  /** The user's name. */
  readonly username: string;
  /** The user's password. */
  readonly password: string;
  /**
   * Whether the user stays logged in after closing the browser. The bearer client ignores it: how long its tokens are
   * kept depends on its storage. Default: true.
   */
  readonly remember?: boolean;
}

/** What `CookieClient.login` sends after the password if the server asks for a second factor. */
export interface LoginContinuation {
  /** The `ticket` in the `body` of the error `second_factor_required`. */
  readonly ticket: string;
  /** What the server's application expects, for example `code`. */
  readonly [field: string]: unknown;
}

/** The tokens of a session that began without the client, for example by a login with another provider. */
export interface TokenPair {
  /** The access token. */
  readonly access: string;
  /** The refresh token. */
  readonly refresh: string;
}

/** What the clients accept for a login. */
export type LoginInput = Credentials | LoginContinuation | TokenPair;

/** Which sessions a logout revokes: this one, all other sessions of the user, or all of them. */
export type LogoutScope = "local" | "others" | "all";

/** What a response says about a new access token. */
export interface Grant {
  /** How long the access token lasts, in seconds. If it is missing, it lasts as long as the previous one. */
  readonly lifetime?: number;
  /** How long the refresh token lasts, in seconds, if it is known. */
  readonly refreshLifetime?: number | undefined;
  readonly user?: User | undefined;
  readonly sessionId?: string | undefined;
  /** Only the bearer client sees the tokens. */
  readonly tokens?: { readonly access: string; readonly refresh: string };
}

/**
 * Returns the idempotency key for a refresh, or `undefined` if the environment has no random numbers for one.
 * `fingerprint` is a value that changes with every refresh token.
 */
export type GetIdempotencyKey = (fingerprint: string) => Promise<string | undefined>;

/**
 * How many timeouts a refresh may take before it is aborted. After the first one it is only reported as a problem and
 * tried again: a response that comes late still has the new token.
 */
export const lateFactor = 6;

/**
 * How requests are authenticated: by cookies or by bearer tokens. None of these functions refreshes or retries, except
 * once with a new CSRF token. Every call throws a `ClientError` unless the response is a 2xx. `send`, `call`, `logout`
 * and `replace` throw `session_changed` before an unsafe request that would be sent for another session than the
 * one that the client shows.
 */
export interface Transport {
  /** The origins that credentials are sent to. */
  readonly origins: readonly string[];
  readonly send: Send;
  /** Calls a `path` below the auth path. */
  readonly call: JsonCall;
  readonly login: (credentials: LoginInput) => Promise<Grant>;
  /**
   * Gets new tokens.
   *
   * @param isKnown Whether the client knows of a session. If not, it may be certain without a request that there is none.
   * @param signal Gives up when it is aborted.
   */
  readonly refresh: (getKey: GetIdempotencyKey, isKnown: boolean, signal: AbortSignal) => Promise<Grant>;
  /** Returns whether a 401 to the last refresh logs the user out although it has no `Session-Ended` header. */
  readonly endsOn401: () => boolean;
  readonly logout: (scope: LogoutScope, options: CallOptions) => Promise<void>;
  /** Sends a POST below the auth path whose response replaces the access token, and may replace the refresh token. */
  readonly replace: (path: string, body: object, options: CallOptions) => Promise<Grant>;
  /** Returns whether it is certain, without a request, that there is no session. */
  readonly isAnonymous?: () => boolean;
  /** Discards what belongs to the previous access token. */
  readonly reset?: () => void;
}

/** The server's URLs, none of which has a trailing slash except `base`. */
export interface Urls {
  readonly origin: string;
  /** The URL that the paths are appended to. */
  readonly root: string;
  /** The URL of the auth path. */
  readonly auth: string;
  /** The URL that relative URLs of the application are resolved against. */
  readonly base: string;
}

/** Returns the URLs of the server. @throws TypeError If `baseUrl` isn't a URL, or if it is missing without a page. */
export function toUrls(
  { baseUrl, authPath = "/api/auth" }: { readonly baseUrl?: string; readonly authPath?: string },
  page: Page | undefined,
): Urls {
  const { origin, href } = new URL(baseUrl ?? "/", page?.href);
  const root = href.replace(/\/$/, "");
  return { origin, root, auth: root + authPath, base: baseUrl === undefined && page ? page.base : `${root}/` };
}

/** Returns `{ id, username, claims }` if `value` is a user. */
export function toUser(value: unknown): User | undefined {
  const { id, username, claims } = toJsonObject(value);
  return typeof id === "string" && typeof username === "string" ? { id, username, claims } : undefined;
}

/** Returns the `id` of a session, if it has one. */
export function toId(session: unknown): string | undefined {
  const { id } = toJsonObject(session);
  return typeof id === "string" ? id : undefined;
}

/** Returns a lifetime in seconds. @throws ClientError `unavailable` if `value` isn't a positive number. */
export function toLifetime(value: unknown): number {
  const lifetime = Number(value);
  if (lifetime > 0) return lifetime;
  throw unexpectedResponse();
}

/** Returns `path` with a query that makes it unique, so that no service worker answers it from its cache. */
export function toFreshPath(env: Environment, path: string): string {
  return `${path}?at=${env.wall()}`;
}
