import type { Settings } from "../../core/settings/settings.ts";
import type { CounterName } from "../counters.ts";
import type { AuthEvent } from "../events.ts";

/**
 * How an event is written to the audit log: in the transaction of the change that it describes, in a batch soon afterwards,
 * or not at all.
 */
export type AuditPolicy = "transaction" | "batch" | "never";

/** The level at which `tokenpair serve` logs an event. */
export type EventLevel = "info" | "warn" | "error";

/** The counter that an event increments, with the value of the counter's label. */
export type Count = readonly [counter: CounterName, label: string];

/** The settings that an audit policy depends on. */
export type AuditSettings = Pick<Settings, "auditRotations">;

/** The names of an event's fields, except those that all events have. */
type FieldName<E> = E extends unknown ? Exclude<keyof E, "type" | "time"> : never;

/** What tokenpair does with events of one type. If a member is a function, it decides for each event. */
export interface EventEntry<E extends AuthEvent> {
  /** A description of the event for docs/events.md. */
  readonly description: string;
  /** A description of each field for docs/events.md. An empty text means that the name is enough. */
  readonly fields: { readonly [K in FieldName<E>]-?: string };
  /** How the event is written to the audit log. */
  readonly audit: AuditPolicy | ((event: E, settings: AuditSettings) => AuditPolicy);
  /** A description of `audit` for docs/events.md. Required if `audit` is a function. */
  readonly auditNote?: string;
  /** The level at which the server logs the event. */
  readonly level: EventLevel | ((event: E) => EventLevel);
  /** Returns the counter that the event increments. `null` if it increments no counter. */
  readonly count: ((event: E) => Count) | null;
  /** The type of the webhook message about the event. `null` if no message is sent. */
  readonly webhook: string | null | ((event: E) => string | null);
}
