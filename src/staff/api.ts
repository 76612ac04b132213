/**
 * The bodies of the staff API, as the server sends them and the console reads them. Times are whole seconds since the epoch.
 * `null` means "unknown" or "none".
 */

/** The rank of a member of the staff. */
export type StaffRole = "viewer" | "support" | "admin";

/** One page of a list. */
export interface Page<T> {
  readonly results: readonly T[];
  /** The cursor of the next page, or `null` on the last one. */
  readonly next: string | null;
  /** The cursor of the previous page, or `null` on the first one. */
  readonly previous: string | null;
  /**
   * How many rows match, at most 10,000: then there may be more. They are counted for the first page. Missing if that would take
   * too long, because a filter has no index.
   */
  readonly count?: number;
}

/** What a member of the staff may do. */
export type Permission =
  | "read"
  | "users.write"
  | "users.delete"
  | "sessions.revoke"
  | "sessions.revoke-many"
  | "audit.export"
  | "staff.write"
  | "keys.write";

/** `GET me/`. */
export interface StaffMe {
  readonly id: string;
  readonly username: string;
  readonly role: StaffRole;
  readonly permissions: readonly Permission[];
  /** The member's own session. */
  readonly session_id: string;
  /** Until when dangerous actions need no confirmation. In the past: confirm first. */
  readonly confirmed_until: number;
  /** The server's clock. */
  readonly now: number;
}

/** A user in a list. */
export interface StaffUser {
  readonly id: string;
  readonly username: string;
  readonly email: string | null;
  readonly is_active: boolean;
  readonly role: StaffRole | null;
  readonly created_at: number;
  readonly last_login_at: number | null;
}

/** `GET users/{id}/`. */
export interface StaffUserDetail extends StaffUser {
  readonly has_password: boolean;
  /** Such as "argon2id" or "pbkdf2_sha256". */
  readonly password_format: string | null;
  readonly live_sessions: number;
  /** The counts of an account never expire: a login, or the staff, clears them. */
  readonly failed_logins: {
    readonly account: number;
    readonly limit: number;
    /** "unknown_devices": known devices may still log in. */
    readonly locked_for: "none" | "unknown_devices" | "all_devices";
  };
  /** What the caller may do with this user. */
  readonly allowed: readonly UserAction[];
}

/** What can be done with a user. */
export type UserAction =
  | "update"
  | "role"
  | "disable"
  | "enable"
  | "unlock"
  | "logout"
  | "set-password"
  | "delete"
  | "revoke-session";

/** A session in a list. */
export interface StaffSession {
  readonly id: string;
  readonly user: { readonly id: string; readonly username: string };
  readonly created_at: number;
  readonly last_used_at: number;
  readonly expires_at: number;
  /** How often it was refreshed. */
  readonly generation: number;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly label: string | null;
  /** Who acts for the user in it. */
  readonly actor: string | null;
  readonly is_live: boolean;
  readonly revoked_at: number | null;
  readonly revoke_reason: string | null;
  /** Whether it is the session of the caller. */
  readonly current: boolean;
}

/** How a revocation was confirmed. `pending`: not within `confirmTimeout`; it is durable nevertheless. */
export type Confirmation = "acks" | "expiry" | "pending" | null;

/** The answer to a change that revokes. */
export interface Revoked {
  readonly sessions: number;
  readonly confirmed: Confirmation;
}

/** `POST users/bulk/`. */
export interface BulkResult {
  readonly results: readonly { readonly id: string; readonly ok: boolean; readonly detail: string | null }[];
  /** How the revocations were confirmed, all together. `null` if nothing was revoked. */
  readonly confirmed: Confirmation;
}

/** An entry of the audit log. */
export interface StaffAuditEntry {
  readonly id: number;
  readonly time: number;
  readonly type: string;
  readonly user: { readonly id: string; readonly username: string | null } | null;
  readonly session_id: string | null;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly actor: string | null;
  /** Why the actor acted, in the actor's own words. */
  readonly note: string | null;
  readonly reason: string | null;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A node that reports. */
export interface StaffNode {
  readonly id: string;
  readonly name: string;
  readonly state: "fresh" | "behind" | "missing";
  /** How old its knowledge of revocations is, in seconds. */
  readonly feed_age: number;
  /**
   * Milliseconds at the 99th percentile over the last minute; `null` without a measurement. The lag is the time from when a
   * revocation was appended until this node had applied it.
   */
  readonly lag_p99: number | null;
  readonly refresh_p99: number | null;
  readonly login_p99: number | null;
  /** Passwords that wait to be hashed. */
  readonly hash_queue: number;
  readonly version: string;
  readonly started_at: number;
  readonly reported_at: number;
}

/** `GET overview/`. A series has one number for each of the last 60 minutes, oldest first. */
export interface StaffOverview {
  readonly now: number;
  /** One sentence about the state, and how serious it is. */
  readonly state: { readonly level: "ok" | "warning" | "problem"; readonly text: string };
  readonly live_sessions: { readonly count: number; readonly users: number };
  readonly logins: { readonly per_minute: number; readonly failed: number; readonly series: readonly number[] };
  readonly refreshes: { readonly per_minute: number; readonly replayed: number; readonly series: readonly number[] };
  /** In the last 24 hours. */
  readonly reuse_detected: { readonly count: number; readonly last_at: number | null };
  readonly throttled: { readonly accounts: number; readonly addresses: number };
  readonly revocations: { readonly live: number };
  readonly nodes: readonly StaffNode[];
  /** Events of the last 24 hours that need a look, newest first. */
  readonly needs_a_look: readonly StaffAuditEntry[];
  /** The last changes of the staff, newest first. */
  readonly staff_actions: readonly StaffAuditEntry[];
}

/** A setting that the staff may see. Secrets are never sent. */
export interface StaffSetting {
  readonly name: string;
  readonly value: string;
  /** Whether it has another value than the default. */
  readonly is_set: boolean;
}

/** `GET health/`. */
export interface StaffHealth {
  readonly now: number;
  readonly node: string;
  readonly checks: readonly {
    readonly name: string;
    readonly level: "pass" | "warning" | "fail";
    readonly text: string;
  }[];
  readonly settings: readonly StaffSetting[];
  readonly database: readonly { readonly name: string; readonly value: string }[];
}

/** A signing key. Its secret is never sent. */
export interface StaffKey {
  readonly kid: string;
  readonly alg: string;
  /** "published": waits until every node has it. */
  readonly state: "published" | "signing" | "verifying" | "retired" | "secret";
  readonly made_at: number | null;
  readonly signs_from: number | null;
  /** When the last token that it signed expires. */
  readonly last_token_expires_at: number | null;
}
