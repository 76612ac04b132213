import type { ApplicationClaims, TokenPair } from "./core/claims.ts";
import type { AuditEntry } from "./core/store/audit.ts";
import type { PoolUsage } from "./core/store/index.ts";
import type { AuthUser, User } from "./core/user.ts";
import type { HashLoad } from "./crypto/passwords/hash-queue.ts";
import type { Authentication } from "./flows/authenticate.ts";
import type { SessionView } from "./flows/sessions.ts";

/** A session with its newest pair. */
export interface SessionPair extends TokenPair {
  /** The session as its owner sees it. */
  readonly session: SessionView;
}

/** A session whose user was authenticated again, with a new access token that says so. */
export interface ConfirmResult extends Pick<TokenPair, "access" | "accessExpiresIn"> {
  /** The session as its owner sees it. */
  readonly session: SessionView;
}

/** A new session with its first pair. */
export interface LoginResult<U extends AuthUser = User> extends SessionPair {
  /** Who logged in. */
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

/** A new session that began with a password. */
export interface PasswordLoginResult<U extends AuthUser = User> extends LoginResult<U> {
  /**
   * Marks this device as known. Store it there, also after a logout, and pass it at the next login: failed logins on other
   * devices then can't lock this one out. Counts for 400 days, or until the user's password or epoch changes.
   */
  readonly device: string;
}

/** The result of a password change: the session continues with this pair. */
export interface PasswordChangeResult extends SessionPair {
  /** Marks this device as known, in place of the `device` of its login, which no longer counts. */
  readonly device: string;
}

/** The result of a refresh. */
export interface RefreshResult extends Omit<TokenPair, "refresh"> {
  /** The next refresh token; missing with `rotateRefreshTokens: false`, because the presented one stays valid. */
  readonly refresh?: string;
  /** The session as its owner sees it. */
  readonly session: SessionView;
  /** Whether a spent token was presented in the grace period and got the same successor again. */
  readonly replayed: boolean;
}

/** The result of `auth.check`: who sent the request, or the response that refuses it. */
export type CheckResult<U extends AuthUser = User, C extends object = ApplicationClaims> =
  | {
      readonly ok: true;
      /** Who sent the request. */
      readonly authentication: Authentication<U, C>;
    }
  | {
      readonly ok: false;
      /** A 401, 403 or 503 with the body and headers of the HTTP contract. Send it. */
      readonly response: Response;
    };

/** Whether this node can answer requests. */
export type Health =
  | {
      readonly ok: true;
      /** What it can't do, for the operator; missing if it can do everything. */
      readonly degraded?: string;
    }
  | {
      readonly ok: false;
      /** Why it can't, for the operator. */
      readonly reason: string;
    };

/** The state of this node, for metrics. */
export interface Stats {
  /** What this node knows of revocations. */
  readonly revocations: {
    /** How many revocations this node holds in memory. */
    readonly live: number;
    /** The staleness of its knowledge in seconds; `Infinity` before the first load. */
    readonly staleSeconds: number;
  };
  /** How many passwords are being hashed or wait. */
  readonly passwords: HashLoad;
  /** What this node knows of the store. */
  readonly store: {
    /** Whether the store can be written to. After a failed write, probes decide. */
    readonly isWritable: boolean;
  };
  /** The keys that this node uses. */
  readonly keys: {
    /** The name of the key that signs access tokens; `null` before the keys are loaded. */
    readonly kid: string | null;
    /** That key's algorithm; `null` before the keys are loaded. */
    readonly algorithm: string | null;
    /** The seconds since that key was added; `null` if the database doesn't know. */
    readonly age: number | null;
    /** Whether the last change of the keys could be opened. If not, the node continues with the keys that it had. */
    readonly isReadable: boolean;
  };
  /** The database connections; missing if the store has no pool. */
  readonly connections?: PoolUsage;
}

/** A page of the audit log, oldest entry first. */
export interface AuditList {
  /** The entries of this page. */
  readonly entries: readonly AuditEntry[];
  /** The position after this page. Pass it as `after` to continue. */
  readonly cursor: string;
  /** Whether more entries than `limit` were waiting after the cursor that was passed. */
  readonly more: boolean;
}

/** The CORS part of a response (Fetch §3.3). */
export interface CorsResult {
  /** Whether the request is the preflight of a trusted origin. Answer it with 204 and these headers. */
  readonly isPreflight: boolean;
  /** Headers by name. Add `Vary` to the one that the response has. */
  readonly headers: Readonly<Record<string, string>>;
}
