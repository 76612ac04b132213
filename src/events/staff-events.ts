import type { ClientEvent } from "./base-event.ts";

/** A member of the staff began to export the audit log. */
export interface AuditExportedEvent extends ClientEvent {
  readonly type: "audit_exported";
  /** The member of the staff. */
  readonly userId: string;
  /** The session of the member. */
  readonly sessionId: string;
  /** The format: "csv" or "jsonl". */
  readonly format: string;
  /** The filters, as in the URL. Empty if the whole log was exported. */
  readonly filter: string;
}

/** All events about what the staff does in the console. */
export type StaffEvent = AuditExportedEvent;
