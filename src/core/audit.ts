import type { AuthEvent, RequestOrigin } from "./events.ts";

/** An event on its way into the database, which a store writes in the transaction of the change that it tells of. */
export interface AuditRecord {
  readonly event: AuthEvent;
  /** Whether the audit log keeps it. */
  readonly isKept: boolean;
  /** What the webhook has to be sent; `null` where it is none of the events for it. */
  readonly delivery: { readonly id: string; readonly body: string } | null;
}

/** What is to be written of a change, from its result. Called within the change's transaction, which may be run again. */
export type AuditOf<T> = (result: T) => readonly AuditRecord[];

/** What the audit log's row holds of an event: what is looked for in columns, the rest as JSON. */
export interface AuditRow {
  /** Whole seconds since the epoch. */
  readonly time: number;
  readonly type: string;
  readonly userId: string | null;
  readonly sessionId: string | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly actor: string | null;
  readonly reason: string | null;
  /** JSON of the members that have no column. */
  readonly details: string;
}

/** An entry of the audit log, which an older or newer version may have written. */
export interface AuditEntry extends Omit<AuditRow, "details"> {
  readonly id: number;
  readonly details: Readonly<Record<string, unknown>>;
}

/** The row of an event. */
export function toAuditRow(event: AuthEvent): AuditRow {
  const all: Record<string, unknown> & { readonly origin?: RequestOrigin } = { ...event };
  const { time: _, type, userId, sessionId, reason, origin = {}, ...details } = all;
  return {
    time: event.time,
    type: event.type,
    userId: toText(userId),
    sessionId: toText(sessionId),
    ip: toText(origin.ip),
    userAgent: toText(origin.userAgent),
    actor: toText(origin.actor),
    reason: toText(reason),
    details: JSON.stringify(details),
  };
}

/** What no database's text or JSON can hold, U+0000 and half a surrogate pair, becomes U+FFFD. */
function toText(value: unknown): string | null {
  return typeof value === "string" ? value.replaceAll(/\0|\p{Surrogate}/gu, "\uFFFD") : null;
}

/**
 * How an event gets into the audit log: in the transaction of the change that it tells of, in a batch soon after, or not
 * at all.
 */
export function toKeeping(event: AuthEvent): "transaction" | "batch" | "never" {
  switch (event.type) {
    case "login":
    case "new_device":
    case "sessions_ended":
    case "token_revoked":
    case "user_changed":
    case "unlocked":
      return "transaction";
    case "throttled":
    case "rehash_failed":
    case "key_changed":
      return "batch";
    case "login_failed":
      // Nothing was found out about a password. In a storm of logins that are shed, the others' entries must get through.
      return event.code === "unavailable" ? "never" : "batch";
    case "csrf_refused":
      // Anybody can be refused without a token of ours, as often as they like: that must crowd out no other entry.
      return event.sessionId === undefined ? "never" : "batch";
    case "webhook_failed":
      return event.isGivenUp ? "batch" : "never";
    case "refresh":
      return toKeepingOfRefresh(event);
    case "feed_stale":
    case "feed_recovered":
    case "feed_reloaded":
    case "listen_lost":
    case "listen_recovered":
    case "untrusted_proxy":
    case "audit_dropped":
      return "never";
  }
}

const isEverKept: Readonly<Record<AuthEvent["type"], boolean>> = {
  login: true,
  new_device: true,
  login_failed: true,
  refresh: true,
  sessions_ended: true,
  token_revoked: true,
  user_changed: true,
  rehash_failed: true,
  throttled: true,
  unlocked: true,
  csrf_refused: true,
  key_changed: true,
  webhook_failed: true,
  untrusted_proxy: false,
  audit_dropped: false,
  feed_stale: false,
  feed_recovered: false,
  feed_reloaded: false,
  listen_lost: false,
  listen_recovered: false,
};

/** Every type of which the audit log can have entries. */
export const auditTypes: readonly string[] = Object.freeze(
  Object.entries(isEverKept).flatMap(([type, isKept]) => (isKept ? [type] : [])),
);

function toKeepingOfRefresh({ outcome, sessionId }: Extract<AuthEvent, { type: "refresh" }>) {
  switch (outcome) {
    case "theft":
      return "transaction";
    case "state_lost":
    case "refused":
      // A forged token costs the database nothing, not even an entry.
      return sessionId === undefined ? "never" : "batch";
    case "rotated":
    case "replayed":
    case "renewed":
      return "never";
  }
}
