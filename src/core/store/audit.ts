import type { Delivery } from "./outbox.ts";

/** A row of the audit log to write: a column for each field that can be searched, and the other fields as JSON. */
export interface AuditRow {
  /** When the event happened: whole seconds since the epoch. */
  readonly time: number;
  /** The event's type, such as "login". */
  readonly type: string;
  /** The user whom the event is about. */
  readonly userId: string | null;
  /** The session that the event is about. */
  readonly sessionId: string | null;
  /** The client's IP address. */
  readonly ip: string | null;
  /** The client's `User-Agent` header. */
  readonly userAgent: string | null;
  /** Who acted, if not the user. */
  readonly actor: string | null;
  /** Why it happened. */
  readonly reason: string | null;
  /** A JSON object of the event's other fields. */
  readonly details: string;
}

/**
 * An entry of the audit log. Another version of tokenpair may have written it. Names that have changed since 0.1 are
 * converted.
 */
export interface AuditEntry extends Omit<AuditRow, "details"> {
  /** Unique; later entries usually have higher ids. */
  readonly id: number;
  /** The event's other fields. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** What a store writes about one event, in the transaction of the change that the event describes. */
export interface AuditRecord {
  /** The audit log's row; `null` if the audit log does not record the event here. */
  readonly row: AuditRow | null;
  /** The webhook message; `null` if the webhook does not send the event. */
  readonly delivery: Pick<Delivery, "id" | "body" | "at"> | null;
}

/**
 * Returns the audit records of a change. The store calls it inside the transaction, and again if it retries that.
 */
export type AuditOf<T> = (change: T) => readonly AuditRecord[];

/** The audit log. Rows that describe a change are written by the change; this appends the others, and reads. */
export interface AuditStore {
  /** Appends rows that describe no change of the store: all of them or none. */
  append(rows: readonly AuditRow[]): Promise<void>;
  /**
   * Reads entries. With `after: null`, returns the newest `limit` entries that match, oldest first. With a cursor,
   * returns the entries committed since, in the order of writing. It never skips an entry, however late its transaction
   * committed, and never returns one twice.
   */
  read(query: AuditQuery): Promise<AuditPage>;
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
  /** Returns only entries from this time on: whole seconds since the epoch. */
  readonly since?: number | undefined;
}

/** A reader's position in the audit log. Opaque: only the store that made it can read it. */
export type AuditCursor = string;

/** A page of the audit log. */
export interface AuditPage {
  /** The entries, oldest first. */
  readonly entries: readonly AuditEntry[];
  /** Where the next read continues. */
  readonly cursor: AuditCursor;
  /** Whether more entries than `limit` were waiting. Always false with `after: null`. */
  readonly more: boolean;
}
