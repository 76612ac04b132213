import type { StaffAuditEntry } from "../api.ts";

/** How an export writes the audit log. */
export interface ExportFormat {
  readonly mediaType: string;
  /** The text before the first entry. */
  readonly head: string;
  /** Returns the text of an entry. */
  toText(entry: StaffAuditEntry): string;
}

/** The names of the formats. */
export const exportFormatNames = ["csv", "jsonl"] as const;

/** The columns of the CSV format (RFC 4180). */
const columns: readonly (readonly [name: string, toCell: (entry: StaffAuditEntry) => string | null])[] = [
  ["id", ({ id }) => String(id)],
  ["time", ({ time }) => new Date(time * 1_000).toISOString()],
  ["type", ({ type }) => type],
  ["user_id", ({ user }) => user?.id ?? null],
  ["username", ({ user }) => user?.username ?? null],
  ["session_id", (entry) => entry.session_id],
  ["ip", ({ ip }) => ip],
  ["user_agent", (entry) => entry.user_agent],
  ["actor", ({ actor }) => actor],
  ["note", ({ note }) => note],
  ["reason", ({ reason }) => reason],
  ["details", ({ details }) => JSON.stringify(details)],
];

/** The formats. */
export const exportFormats: Readonly<Record<(typeof exportFormatNames)[number], ExportFormat>> = {
  csv: {
    mediaType: "text/csv; charset=utf-8; header=present",
    head: toLine(columns.map(([name]) => name)),
    toText: (entry) => toLine(columns.map(([, toCell]) => toCell(entry) ?? "")),
  },
  jsonl: {
    mediaType: "application/jsonl; charset=utf-8",
    head: "",
    toText: (entry) => `${JSON.stringify(entry)}\n`,
  },
};

function toLine(cells: readonly string[]): string {
  return `${cells.map(toCell).join(",")}\r\n`;
}

/**
 * Returns a cell. Spreadsheets run a text that begins like a formula, and clients choose user agents and names (OWASP, "CSV
 * Injection"), so an apostrophe before it makes it a text. The last four characters are the wide forms of the first four.
 */
function toCell(text: string): string {
  const safe = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}
