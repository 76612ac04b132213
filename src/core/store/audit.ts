import type { Delivery } from "./outbox.ts";

/**
 * A row to write into the audit log. It has a column for each field that can be searched. The event's other fields are
 * JSON.
 */
export interface AuditRow {
  /** When the event happened: whole seconds since the epoch. */
  readonly time: number;
  /** The type of the event, such as "login". */
  readonly type: string;
  /** The user whom the event is about. */
  readonly userId: string | null;
  /** The session that the event is about. */
  readonly sessionId: string | null;
  /** The client's IP address. */
  readonly ip: string | null;
  /** The client's `User-Agent` header. */
  readonly userAgent: string | null;
  /** Who acted, if it was not the user. Otherwise `null`. */
  readonly actor: string | null;
  /** Why the actor acted, in the actor's own words. Otherwise `null`. */
  readonly note: string | null;
  /** The reason for the event, such as "logout" or "password_changed". */
  readonly reason: string | null;
  /** A JSON object of the event's other fields. */
  readonly details: string;
}

/**
 * An entry of the audit log. It may have been written by another version of tokenpair. Names that have changed since
 * version 0.1 are converted.
 */
export interface AuditEntry extends Omit<AuditRow, "details"> {
  /** The entry's id. Each entry has a different one, and later entries usually have higher ones. */
  readonly id: number;
  /** The fields of the event that have no column. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** What a store writes about one event, in the transaction of the change that the event describes. */
export interface AuditRecord {
  /** The row to write into the audit log, or `null` if the audit log doesn't record the event in this transaction. */
  readonly row: AuditRow | null;
  /** The webhook message, or `null` if the webhook doesn't send the event. */
  readonly delivery: Pick<Delivery, "id" | "body" | "at"> | null;
}

/**
 * Returns the audit records of a change. The store calls it inside the transaction. If the store retries the transaction,
 * it calls the function again.
 */
export type AuditOf<T> = (change: T) => readonly AuditRecord[];

/**
 * The audit log. A method that changes something writes its own rows, in the same transaction. This interface appends all
 * other rows, and reads.
 */
export interface AuditStore {
  /** Appends rows about events that change nothing in the store. Appends either all of them or none. */
  append(rows: readonly AuditRow[]): Promise<void>;
  /**
   * Reads entries. With `after: null`, returns the newest `limit` entries that match, oldest first. With a cursor, returns
   * the entries that were committed after it, in the order in which they were written. It returns each entry exactly once,
   * even if the entry's transaction took a long time to commit.
   */
  read(query: AuditQuery): Promise<AuditPage>;
  /**
   * Erases what is stored about the devices of a user who no longer exists: IP addresses, user agents and notes in the
   * audit log, IP addresses, user agents and labels of sessions, and IP addresses and user agents in webhook messages that
   * wait to be sent. Entries keep the IP address and the user agent of an actor, because they are not the user's.
   *
   * @returns how much was changed, or `null` if the user exists. In that case, nothing was changed.
   */
  erase(userId: string, audit?: AuditOf<ErasedUser>): Promise<ErasedUser | null>;
}

/** What was erased about a deleted user. */
export interface ErasedUser {
  /** How many audit entries were changed. */
  readonly entries: number;
  /** How many sessions were changed. */
  readonly sessions: number;
  /** When, by the database's clock: whole seconds since the epoch. */
  readonly now: number;
}

/** Which entries to read. */
export interface AuditQuery {
  /** The cursor of the previous page; `null` for the newest entries. */
  readonly after: AuditCursor | null;
  /** The maximum number of entries to return. */
  readonly limit: number;
  /** Returns only entries about this user. */
  readonly userId?: string | undefined;
  /** Returns only entries about this session. */
  readonly sessionId?: string | undefined;
  /** Returns only events of this type. */
  readonly type?: string | undefined;
  /** Returns only `refresh` events with this outcome. */
  readonly outcome?: string | undefined;
  /** Returns only entries from this time or later, in whole seconds since the epoch. */
  readonly since?: number | undefined;
}

/** A reader's position in the audit log. It is opaque: only the store that created it can read it. */
export type AuditCursor = string;

/** A page of the audit log. */
export interface AuditPage {
  /** The entries, oldest first. */
  readonly entries: readonly AuditEntry[];
  /** The cursor to pass to the next read. */
  readonly cursor: AuditCursor;
  /** Whether there are more than `limit` entries after the cursor. Always false with `after: null`. */
  readonly more: boolean;
}
