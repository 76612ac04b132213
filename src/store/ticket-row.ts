import type { Ticket } from "../core/store/tickets.ts";

/** A row of `login_tickets`. Its methods are JSON, and SQLite has numbers instead of booleans. */
export type TicketRow = Omit<{ -readonly [K in keyof Ticket]: Ticket[K] }, "methods" | "persistent"> & {
  methods: string;
  persistent: boolean | number;
};

/** Converts a row to a ticket. */
export function toTicket({ methods, persistent, ...row }: TicketRow): Ticket {
  return { ...row, methods: JSON.parse(methods) as string[], persistent: Boolean(persistent) };
}
