import type { ClientEvent } from "./base-event.ts";

/** A staff member began to export the audit log. */
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

/** The console refused an action of a staff member. */
export interface StaffRefusedEvent extends ClientEvent {
  readonly type: "staff_refused";
  /** The member of the staff. */
  readonly userId: string;
  /** What was refused: the operation's name in the OpenAPI document of the staff API. */
  readonly action: string;
  /** The code of the error that the member got. */
  readonly code: string;
  /** The user who was to be changed. Missing if the action is not about one user. */
  readonly targetId?: string;
}

/** All events about what the staff does in the console. */
export type StaffEvent = AuditExportedEvent | StaffRefusedEvent;
