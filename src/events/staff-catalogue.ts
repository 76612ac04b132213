import type { EventEntry } from "./entry.ts";
import type { StaffEvent } from "./staff-events.ts";

/** The catalogue's entries for events about what the staff does in the console. */
export const staffEntries: {
  readonly [T in StaffEvent["type"]]: EventEntry<Extract<StaffEvent, { readonly type: T }>>;
} = {
  audit_exported: {
    description: "A member of the staff began to export the audit log. Recorded before the first entry is sent.",
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
    description: "A member of the staff was refused an action in the console.",
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
