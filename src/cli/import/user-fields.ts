import { z } from "zod";
import type { ForeignUser } from "../../flows/import-users.ts";
import type { Fields } from "./records.ts";

/** The names that a field may have: ours, Django's, those of `tokenpair users list --json`. The first that is there counts. */
const namesOf: Readonly<Record<keyof z.input<typeof schema>, readonly string[]>> = {
  id: ["id"],
  username: [],
  email: ["email"],
  passwordHash: ["hash", "password_hash", "password"],
  isActive: ["active", "is_active"],
  isStaff: ["staff", "is_staff"],
  isSuperuser: ["superuser", "is_superuser"],
  createdAt: ["created", "created_at", "joined", "date_joined"],
  lastLoginAt: ["last_login", "last_login_at"],
};

/** The names in the file by which the fields of a user go. */
export type FieldNames = ReadonlyMap<string, string>;

/** Which of the fields of a record count, and under which names. `usernameField` is the username's. */
export function toFieldNames(fields: Fields, usernameField: string): FieldNames {
  const found = Object.entries(namesOf).map(([field, names]): [string, string] => {
    const candidates = field === "username" ? [usernameField] : names;
    return [field, candidates.find((name) => fields.has(name)) ?? candidates[0] ?? ""];
  });
  return new Map(found);
}

/** The user that a record describes, or what is wrong with it. What is wrong is never quoted. */
export function toForeignUser(fields: Fields, names: FieldNames): ForeignUser | { readonly fault: string } {
  const values = [...names].map(([field, name]) => [field, fields.get(name)]);
  const parsed = schema.safeParse(Object.fromEntries(values));
  if (!parsed.success) {
    const [{ path, message } = { path: [], message: "" }] = parsed.error.issues;
    return { fault: `${names.get(String(path[0]))} ${message}.` };
  }
  const { id, isStaff, isSuperuser, ...user } = parsed.data;
  return { ...user, isStaff: isStaff || isSuperuser, ...(id === null ? {} : { id }) };
}

/** What is empty is not there. */
function optional<S extends z.ZodType>(value: S) {
  return z.preprocess((input) => (input === "" ? null : (input ?? null)), value.nullable());
}

function flag(absent: boolean) {
  const toFlag = (input: unknown) => flags.get(typeof input === "string" ? input.toLowerCase() : input);
  return z.preprocess(
    (input) => (input === undefined ? absent : toFlag(input)),
    z.boolean({ error: "must be true or false" }),
  );
}

/** JSON, PostgreSQL's and SQLite's ways to write them. */
const flags: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...[true, 1, "1", "t", "true", "yes"].map((value) => [value, true] as const),
  ...[false, 0, "0", "f", "false", "no"].map((value) => [value, false] as const),
]);

const text = z.string({ error: ({ input }) => (input === undefined ? "is missing" : "must be text") });
const id = z.union([z.string(), z.int().transform(String)], { error: "must be text or a whole number" });

/** To the end of the year 9999. */
const maxTime = 253_402_300_799;
const timeForm = { error: 'must be a time such as "2026-01-31T12:00:00Z", or whole seconds since 1970' };
const time = z.preprocess(
  (input) => (typeof input === "string" ? toSeconds(input) : input),
  z.int(timeForm).min(0, timeForm).max(maxTime, timeForm),
);

const schema = z.object({
  id: optional(id),
  username: text,
  email: optional(text),
  passwordHash: optional(text),
  isActive: flag(true),
  isStaff: flag(false),
  isSuperuser: flag(false),
  createdAt: optional(time),
  lastLoginAt: optional(time),
});

const isoTime = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:\.\d+)?(?: ?(Z|[+-]\d\d)(?::?(\d\d))?)?)?$/;

/**
 * Whole seconds since the epoch, of a time in ISO 8601 (the forms of Django and PostgreSQL, UTC where it says no more) or of
 * the number that `input` is; `NaN` of anything else.
 */
function toSeconds(input: string): number {
  if (/^\d{1,12}$/.test(input)) return Number(input);
  const [, date, minutes = "00:00", seconds = ":00", zone = "Z", zoneMinutes = "00"] = isoTime.exec(input) ?? [];
  const local = Date.parse(`${date}T${minutes}${seconds}Z`);
  // Days that no month has, and an hour 24, would be taken for the next day.
  if (Number.isNaN(local) || !new Date(local).toISOString().startsWith(`${date}`)) return Number.NaN;
  return Date.parse(`${date}T${minutes}${seconds}${zone === "Z" ? zone : `${zone}:${zoneMinutes}`}`) / 1_000;
}
