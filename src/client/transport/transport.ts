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
   * Whether the user stays logged in after closing the browser. The bearer client ignores this option: how long its tokens
   * are kept depends on its storage. Default: true.
   */
  readonly remember?: boolean;
}

/** What `login` sends after the password if the server asks for a second factor. */
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

/** Which sessions a logout revokes: this session, all other sessions of the user, or all of the user's sessions. */
export type LogoutScope = "local" | "others" | "all";

/** What a response says about a new access token. */
export interface Grant {
  /**
   * How long the access token is valid, in seconds. If it is missing, the access token is valid for as long as the previous
   * one.
   */
  readonly lifetime?: number;
  /** How long the refresh token is valid, in seconds, if it is known. */
  readonly refreshLifetime?: number | undefined;
  readonly user?: User | undefined;
  readonly sessionId?: string | undefined;
  /** The tokens. Only the bearer client sees them. */
  readonly tokens?: { readonly access: string; readonly refresh: string };
}

/**
 * Returns the idempotency key for a refresh, or `undefined` if the environment has no random numbers for one.
 * `fingerprint` is a value that changes with every refresh token.
 */
export type GetIdempotencyKey = (fingerprint: string) => Promise<string | undefined>;

/**
 * After how many timeouts a refresh is aborted. After the first timeout, it is only reported as a problem and tried again,
 * because a late response still has the new token.
 */
export const lateFactor = 6;

/**
 * How requests are authenticated: by cookies or by bearer tokens. None of these functions refreshes or retries, except for
 * one retry with a new CSRF token. Every call throws a `ClientError` unless the response is a 2xx. Before an unsafe
 * request, `send`, `call`, `logout` and `replace` throw `session_changed` if the session is no longer the one that the
 * client shows.
 */
export interface Transport {
  /** The origins that credentials are sent to. */
  readonly origins: readonly string[];
  readonly send: Send;
  /** Calls a `path` below the auth path. */
  readonly call: JsonCall;
  readonly login: (input: LoginInput, options: CallOptions) => Promise<Grant>;
  /**
   * Gets new tokens.
   *
   * @param isKnown Whether the client knows of a session. If not, the transport may know without a request that there is no
   * session.
   * @param signal Gives up when it is aborted.
   */
  readonly refresh: (getKey: GetIdempotencyKey, isKnown: boolean, signal: AbortSignal) => Promise<Grant>;
  /** Returns whether a 401 response to the last refresh logs the user out even without a `Session-Ended` header. */
  readonly endsOn401: () => boolean;
  readonly logout: (scope: LogoutScope, options: CallOptions) => Promise<unknown>;
  /** Sends a POST below the auth path whose response replaces the access token, and may replace the refresh token. */
  readonly replace: (path: string, body: object, options: CallOptions) => Promise<Grant>;
  /** Returns whether the transport knows, without a request, that there is no session. */
  readonly isAnonymous?: () => boolean;
  /** Discards what belongs to the previous access token. */
  readonly reset?: () => void;
}

/** The server's URLs. Only `base` may have a trailing slash. */
export interface Urls {
  readonly origin: string;
  /** The URL that the paths are appended to. */
  readonly root: string;
  /** The URL of the auth path. */
  readonly auth: string;
  /** The URL that relative URLs of the application are resolved against. */
  readonly base: string;
}

/**
 * Returns the URLs of the server.
 *
 * @throws TypeError If `baseUrl` isn't a URL, or if it is missing and there is no page.
 */
export function toUrls(
  { baseUrl, authPath = "/api/auth" }: { readonly baseUrl?: string; readonly authPath?: string },
  page: Page | undefined,
): Urls {
  const { origin, href } = new URL(baseUrl ?? "/", page?.href);
  const root = href.replace(/\/$/, "");
  return { origin, root, auth: root + authPath, base: (baseUrl === undefined && page?.base) || `${root}/` };
}

/** Returns the user in `value`, if there is one. */
export function toUser(value: unknown): User | undefined {
  const { id, username, claims } = toJsonObject(value);
  return typeof id === "string" && typeof username === "string" ? { id, username, claims } : undefined;
}

/** Returns the `id` of a session, if it has one. */
export function toId(session: unknown): string | undefined {
  const { id } = toJsonObject(session);
  return typeof id === "string" ? id : undefined;
}

/**
 * Returns a lifetime in seconds.
 *
 * @throws ClientError `unavailable` if `value` isn't a positive number.
 */
export function toLifetime(value: unknown): number {
  const lifetime = Number(value);
  if (lifetime > 0) return lifetime;
  throw unexpectedResponse();
}

/** Returns `path` with a query that makes it unique, so that no service worker answers the request from its cache. */
export function toFreshPath(env: Environment, path: string): string {
  return `${path}?at=${env.wall()}`;
}
