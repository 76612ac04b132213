import type { Delivery } from "./outbox.ts";

/** A row of the audit log: a column for each field that can be searched, the other fields as JSON. */
export interface AuditRow {
  /** Whole seconds since the epoch. */
  readonly time: number;
  /** The event's type. */
  readonly type: string;
  readonly userId: string | null;
  readonly sessionId: string | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** Who acted, if not the user. */
  readonly actor: string | null;
  readonly reason: string | null;
  /** A JSON object of the event's other fields. */
  readonly details: string;
}

/** An entry of the audit log. Another version of tokenpair may have written it. */
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

/** Returns what to write about a change. A store calls it inside the transaction, again if the transaction is retried. */
export type AuditOf<T> = (change: T) => readonly AuditRecord[];

/** The audit log. Rows that describe a change are written by the change; this appends the others, and reads. */
export interface AuditStore {
  /** Appends rows that describe no change of the store: all of them or none. */
  append(rows: readonly AuditRow[]): Promise<void>;
  /**
   * Reads entries. With `after: null`, returns the newest `limit` entries that match, oldest first. With a cursor, returns
   * the entries committed since, in the order of writing. It never skips an entry, however late its transaction committed,
   * and never returns one twice.
   */
  read(query: AuditQuery): Promise<AuditPage>;
}

/** Which entries to read. */
export interface AuditQuery {
  /** The cursor of the previous page; `null` for the newest entries. */
  readonly after: AuditCursor | null;
  /** The most entries to return. */
  readonly limit: number;
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  /** The event's type. */
  readonly type?: string | undefined;
  /** The `outcome` of a `refresh` event. */
  readonly outcome?: string | undefined;
  /** The earliest time: whole seconds since the epoch. */
  readonly since?: number | undefined;
}

/** A reader's position in the audit log. Opaque: only the store that made it can read it. */
export type AuditCursor = string;

/** A page of the audit log. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Where the next read continues. */
  readonly cursor: AuditCursor;
  /** Whether more entries than `limit` were waiting. Always false with `after: null`. */
  readonly more: boolean;
}
