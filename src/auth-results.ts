import type { ApplicationClaims, TokenPair } from "./core/claims.ts";
import type { AuditEntry } from "./core/store/audit.ts";
import type { PoolUsage } from "./core/store/index.ts";
import type { AuthUser, User } from "./core/user.ts";
import type { HashLoad } from "./crypto/passwords/hash-queue.ts";
import type { SessionView } from "./flows/sessions/sessions.ts";
import type { Authentication } from "./flows/tokens/authenticate.ts";

/** A session with its newest pair of tokens. */
export interface SessionPair extends TokenPair {
  /** The session, as shown to the user who owns it. */
  readonly session: SessionView;
}

/** A session whose user was authenticated again, with a new access token that says so. */
export interface ReauthenticationResult extends Pick<TokenPair, "access" | "accessExpiresIn"> {
  /** The session as its owner sees it. */
  readonly session: SessionView;
}

/** A new session with its first pair. */
export interface LoginResult<U extends AuthUser = User> extends SessionPair {
  /** The user who logged in. */
  readonly user: U;
  /** Marks this device as known, as after a login by password. Missing if an actor acts for the user. */
  readonly device?: string;
}

/** A new session of a browser. */
export interface StartedSession<U extends AuthUser = User> extends LoginResult<U> {
  /** The values of the `Set-Cookie` headers to send, one header each. */
  readonly cookies: readonly string[];
}

/** A CSRF token for a form. */
export interface CsrfTokenResult {
  /** The token. */
  readonly token: string;
  /** The values of the `Set-Cookie` headers to send with the form; empty if the browser has the token already. */
  readonly cookies: readonly string[];
}

/** The result of a login with a password. */
export interface PasswordLoginResult<U extends AuthUser = User> extends LoginResult<U> {
  /**
   * A token that marks this device as known. Store it on the device, keep it after a logout, and pass it at the next login.
   * Failed logins on other devices then can't lock this device out. It is valid for 400 days, or until the user's password
   * or epoch changes.
   */
  readonly device: string;
}

/** The result of a password change. The session continues with this pair of tokens. */
export interface PasswordChangeResult extends SessionPair {
  /** A token that marks this device as known. It replaces the `device` of the login, which is no longer valid. */
  readonly device: string;
}

/** The result of a refresh. */
export interface RefreshResult extends Omit<TokenPair, "refresh"> {
  /** The next refresh token. Missing with `rotateRefreshTokens: false`, because the presented one stays valid. */
  readonly refresh?: string;
  /** The session, as shown to the user who owns it. */
  readonly session: SessionView;
  /** Whether this was a replay: the presented token was already spent, and the server returned the same new token again. */
  readonly replayed: boolean;
}

/** The result of `auth.check`: either who sent the request, or the response that refuses it. */
export type CheckResult<U extends AuthUser = User, C extends object = ApplicationClaims> =
  | {
      readonly ok: true;
      /** Who sent the request. */
      readonly authentication: Authentication<U, C>;
    }
  | {
      readonly ok: false;
      /** The response to send: a 401, 403 or 503 with the body and headers of the HTTP contract. */
      readonly response: Response;
    };

/** The result of `auth.health`: whether this node can answer requests. */
export type Health =
  | {
      readonly ok: true;
      /** What this node can't do, in words for the operator. Missing if it can do everything. */
      readonly degraded?: string;
    }
  | {
      readonly ok: false;
      /** Why this node can't answer, in words for the operator. */
      readonly reason: string;
    };

/** The result of `auth.stats`: the state of this node, for metrics. */
export interface Stats {
  /** What this node knows about revocations. */
  readonly revocations: {
    /** How many revocations this node holds in memory. */
    readonly live: number;
    /** How old this node's knowledge of revocations is, in seconds. `Infinity` before the first load. */
    readonly staleSeconds: number;
  };
  /** The services that read this node's revocation feed over HTTP. */
  readonly readers: {
    /** Open streams. */
    readonly streams: number;
    /** Long polls that wait. */
    readonly polls: number;
    /** Bytes of all frames since the start. */
    readonly bytes: number;
    /** Records in memory for the readers; 0 before the first reader. */
    readonly records: number;
    /** Seconds since the last frame of the slowest stream was made; 0 without streams. */
    readonly lagSeconds: number;
  };
  /** How many passwords are being hashed, and how many wait for that. */
  readonly passwords: HashLoad;
  /** What this node knows about the store. */
  readonly store: {
    /** Whether the store can be written to. After a failed write, the node finds out with test writes. */
    readonly isWritable: boolean;
  };
  /** The keys that this node uses. */
  readonly keys: {
    /** The name of the key that signs access tokens. `null` before the keys are loaded. */
    readonly kid: string | null;
    /** The algorithm of that key. `null` before the keys are loaded. */
    readonly algorithm: string | null;
    /** The number of seconds since that key was added. `null` if the database doesn't know. */
    readonly age: number | null;
    /**
     * Whether this node could decrypt the keys after their last change. If not, it continues with the keys that it had
     * before.
     */
    readonly isReadable: boolean;
  };
  /** The state of the connection pool. Missing if the store has no pool. */
  readonly connections?: PoolUsage;
}

/** A page of the audit log, oldest entry first. */
export interface AuditList {
  /** The entries of this page. */
  readonly entries: readonly AuditEntry[];
  /** The position after this page. Pass it as `after` to get the next page. */
  readonly cursor: string;
  /** Whether more than `limit` entries followed the cursor that was passed as `after`. */
  readonly more: boolean;
}

/** The result of `auth.cors`: the CORS part of a response (Fetch §3.3). */
export interface CorsResult {
  /** Whether the request is a CORS preflight from a trusted origin. If so, answer it with 204 and these headers. */
  readonly isPreflight: boolean;
  /** The headers by name. If the response already has a `Vary` header, append this one to it. */
  readonly headers: Readonly<Record<string, string>>;
}
