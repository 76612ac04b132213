import type { Settings } from "../core/settings/settings.ts";
import type { CounterName } from "./counters.ts";
import type { AuthEvent } from "./events.ts";

/**
 * How an event gets into the audit log: in the transaction of the change that it describes, in a batch soon after, or not
 * at all.
 */
export type AuditPolicy = "transaction" | "batch" | "never";

/** The level at which `tokenpair serve` logs an event. */
export type EventLevel = "info" | "warn" | "error";

/** The counter that an event increments, and the value of its label. */
export type Count = readonly [counter: CounterName, label: string];

/** The settings that an audit policy depends on. */
export type AuditSettings = Pick<Settings, "auditRotations">;

/** The names of an event's fields, except those that every event has. */
type FieldName<E> = E extends unknown ? Exclude<keyof E, "type" | "time"> : never;

/** Everything that tokenpair does with events of one type. A function decides case by case. */
export interface EventEntry<E extends AuthEvent> {
  /** Describes the event in docs/events.md. */
  readonly description: string;
  /** Describes each field in docs/events.md; an empty text means that the name is enough. */
  readonly fields: { readonly [K in FieldName<E>]-?: string };
  /** How the event gets into the audit log. */
  readonly audit: AuditPolicy | ((event: E, settings: AuditSettings) => AuditPolicy);
  /** Describes `audit` in docs/events.md. Required if `audit` is a function. */
  readonly auditNote?: string;
  /** The level at which the server logs the event. */
  readonly level: EventLevel | ((event: E) => EventLevel);
  /** The counter that the event increments; `null`: none. */
  readonly count: ((event: E) => Count) | null;
  /** The type of the webhook message; `null`: no message is sent. */
  readonly webhook: string | null | ((event: E) => string | null);
}
