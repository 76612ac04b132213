import { z } from "zod";
import { roles } from "../../core/role.ts";
import type { ForeignUser } from "../../flows/users/import-users.ts";
import type { Fields } from "./fields.ts";

/**
 * The names under which each field is looked for, in this order: tokenpair's name, Django's name, and the name in
 * `tokenpair users list --json`.
 */
const namesOf: Readonly<Record<keyof z.input<typeof schema>, readonly string[]>> = {
  id: ["id"],
  username: [],
  email: ["email"],
  passwordHash: ["hash", "password_hash", "password"],
  isActive: ["active", "is_active"],
  role: ["role"],
  isStaff: ["staff", "is_staff"],
  isSuperuser: ["superuser", "is_superuser"],
  createdAt: ["created", "created_at", "joined", "date_joined"],
  lastLoginAt: ["last_login", "last_login_at"],
};

/** The fields of a user, each with its name in the file. */
export type FieldNames = ReadonlyMap<string, string>;

/**
 * Finds the fields of a user in a record.
 *
 * @param usernameField the name of the field that contains the username.
 */
export function toFieldNames(fields: Fields, usernameField: string): FieldNames {
  const found = Object.entries(namesOf).map(([field, names]): [string, string] => {
    const candidates = field === "username" ? [usernameField] : names;
    return [field, candidates.find((name) => fields.has(name)) ?? candidates[0] ?? ""];
  });
  return new Map(found);
}

/**
 * Converts a record to a user.
 *
 * @returns the user, or a sentence that says what is wrong. The sentence never quotes the value.
 */
export function toForeignUser(fields: Fields, names: FieldNames): ForeignUser | { readonly fault: string } {
  const values = [...names].map(([field, name]) => [field, fields.get(name)]);
  const parsed = schema.safeParse(Object.fromEntries(values));
  if (!parsed.success) {
    const [{ path, message } = { path: [], message: "" }] = parsed.error.issues;
    return { fault: `${names.get(String(path[0]))} ${message}.` };
  }
  const { id, role, isStaff, isSuperuser, ...user } = parsed.data;
  // Django's `is_staff` opens a site whose permissions are given one by one, so it is the role with the fewest.
  const djangoRole = isSuperuser ? "admin" : isStaff ? "viewer" : null;
  return { ...user, role: role ?? djangoRole, ...(id === null ? {} : { id }) };
}

/** Makes a schema treat an empty value like a missing one. */
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

/** The values of flags in JSON, PostgreSQL and SQLite. */
const flags: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...[true, 1, "1", "t", "true", "yes"].map((value) => [value, true] as const),
  ...[false, 0, "0", "f", "false", "no"].map((value) => [value, false] as const),
]);

const text = z.string({ error: ({ input }) => (input === undefined ? "is missing" : "must be text") });
/** The schema of an id, which becomes a string. */
export const id = z.union([z.string(), z.int().transform(String)], { error: "must be text or a whole number" });

/** The latest allowed time: the end of the year 9999, in whole seconds since the epoch. */
const maxTime = 253_402_300_799;
const timeForm = { error: 'must be a time such as "2026-01-31T12:00:00Z", or whole seconds since 1970' };
/** The schema of a time, which becomes whole seconds since the epoch. */
export const time = z.preprocess(
  (input) => (typeof input === "string" ? toSeconds(input) : input),
  z.int(timeForm).min(0, timeForm).max(maxTime, timeForm),
);

const schema = z.object({
  id: optional(id),
  username: text,
  email: optional(text),
  passwordHash: optional(text),
  isActive: flag(true),
  role: optional(z.enum(roles, { error: `must be ${roles.join(", ")} or empty` })),
  isStaff: flag(false),
  isSuperuser: flag(false),
  createdAt: optional(time),
  lastLoginAt: optional(time),
});

const isoTime = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:\.\d+)?(?: ?(Z|[+-]\d\d)(?::?(\d\d))?)?)?$/;

/**
 * Parses an ISO 8601 time, in the format of Django or PostgreSQL, or a number of seconds. A time without a zone is in UTC.
 *
 * @returns the time in whole seconds since the epoch, or `NaN` if `input` is neither.
 */
function toSeconds(input: string): number {
  if (/^\d{1,12}$/.test(input)) return Number(input);
  const [, date, minutes = "00:00", seconds = ":00", zone = "Z", zoneMinutes = "00"] = isoTime.exec(input) ?? [];
  const local = Date.parse(`${date}T${minutes}${seconds}Z`);
  // Date.parse would move an invalid day (February 30) or the hour 24 to a later day.
  if (Number.isNaN(local) || !new Date(local).toISOString().startsWith(`${date}`)) return Number.NaN;
  return Date.parse(`${date}T${minutes}${seconds}${zone === "Z" ? zone : `${zone}:${zoneMinutes}`}`) / 1_000;
}
