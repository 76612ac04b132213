import type { StaffEvent } from "../staff-events.ts";
import type { EventEntry } from "./entry.ts";

/** The catalogue's entries for events about what the staff does in the console. */
export const staffEntries: {
  readonly [T in StaffEvent["type"]]: EventEntry<Extract<StaffEvent, { readonly type: T }>>;
} = {
  audit_exported: {
    description: "A staff member began to export the audit log. Recorded before the first entry is sent.",
    fields: {
      userId: "the member",
      sessionId: "",
      format: "`csv` or `jsonl`",
      filter: "the filters, as in the URL",
      client: "",
    },
    audit: "transaction",
    level: "warn",
    count: null,
    webhook: null,
  },
  staff_refused: {
    description: "The console refused an action of a staff member.",
    fields: {
      userId: "the member",
      action: "",
      code: "the error's code",
      targetId: "if it is about one user",
      client: "",
    },
    audit: "batch",
    level: "warn",
    count: null,
    webhook: null,
  },
};
