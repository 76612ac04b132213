import type { AuditEntry } from "./audit.ts";
import type { AuthEvent, RefreshOutcome } from "./events.ts";

/** The audit log. What a change tells of itself is written by the change; this is for the rest, and for reading. */
export interface AuditStore {
  /** Appends events that tell of no change of the store's, all of them or none. */
  append(events: readonly AuthEvent[]): Promise<void>;
  /**
   * From `after: null`, the newest `limit` entries that match, oldest first, with the cursor of the log's end. From a cursor,
   * what has been committed since, in the order of writing, `limit` at most: never skips an entry, however late its
   * transaction committed, and shows none twice.
   */
  read(query: AuditQuery): Promise<AuditPage>;
}

export interface AuditQuery {
  readonly after: AuditCursor | null;
  readonly limit: number;
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly type?: string | undefined;
  /** Only refreshes that ended so. */
  readonly outcome?: RefreshOutcome | undefined;
  /** Only entries of this time or later: whole seconds since the epoch. */
  readonly since?: number | undefined;
}

/** Where a reader has got to. Opaque: only the store that made it understands it. */
export type AuditCursor = string;

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly cursor: AuditCursor;
  /** More was waiting than `limit`: read again at once. With `after: null` always false. */
  readonly more: boolean;
}
