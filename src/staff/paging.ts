import { createHash } from "node:crypto";
import { z } from "zod";
import type { ListKey, ListPart, ListResult } from "../core/store/staff.ts";
import type { QueryDescription } from "../http/openapi/description.ts";
import { fieldErrors, RequestError } from "../http/request/request-error.ts";
import type { Page } from "./api.ts";

/** How many rows a page looks at. A filter without an index is checked row by row, so this bounds how long a page takes. */
const scan = 20_000;

const pageFields = {
  cursor: z.string().max(500).optional(),
  page_size: z.coerce.number().int().min(1).max(200).default(50),
};

/** The types of the values by which a list is sorted. */
export type KeyShape = readonly ("number" | "string")[];

/** The query of a list, read and checked. */
export interface ListRequest<F> {
  readonly filter: F;
  readonly part: ListPart;
  /** Returns the page for the client. */
  readonly toPage: <R, T>(result: ListResult<R>, toBody: (row: R) => T) => Page<T>;
}

/** Describes the parameters of a list, for the OpenAPI document. */
export function toListQuery(filters: z.ZodRawShape): readonly QueryDescription[] {
  return toFilterQuery({ ...filters, ...pageFields });
}

/** Describes the parameters of an endpoint without pages, for the OpenAPI document. */
export function toFilterQuery(filters: z.ZodRawShape): readonly QueryDescription[] {
  return Object.entries(filters as Readonly<Record<string, z.ZodType>>).map(([name, schema]) => ({
    name,
    description: pageDescriptions[name] ?? schema.meta()?.description ?? "A filter.",
    schema: z.string(),
  }));
}

const pageDescriptions: Readonly<Record<string, string>> = {
  cursor: "`next` or `previous` of another page with the same filters.",
  page_size: "The maximum number of results, from 1 to 200. Default: 50.",
};

/**
 * Reads the query of a list.
 *
 * @param toShape returns the types of the values by which the list with this filter is sorted.
 * @throws RequestError 400 with messages by parameter. An unknown parameter is refused too: a filter that is ignored would show too
 * much.
 */
export function readListRequest<S extends z.ZodRawShape>(
  url: string,
  filters: S,
  toShape: (filter: z.infer<z.ZodObject<S>>) => KeyShape,
): ListRequest<z.infer<z.ZodObject<S>>> {
  const {
    cursor,
    page_size: limit,
    ...filter
  } = readFilters(url, { ...filters, ...pageFields }) as unknown as Record<string, unknown> & {
    readonly cursor?: string;
    readonly page_size: number;
  };
  const hash = createHash("sha256").update(JSON.stringify(filter)).digest("base64url").slice(0, 10);
  const { from, isBackward, total } =
    cursor === undefined
      ? { from: null, isBackward: false, total: null }
      : parseCursor(cursor, hash, toShape(filter as z.infer<z.ZodObject<S>>));
  return {
    filter: filter as z.infer<z.ZodObject<S>>,
    part: { from, isBackward, limit, scan, isCounted: cursor === undefined },
    toPage({ rows, end, count = total }, toBody) {
      // The rows are counted once: the cursors carry the count to the other pages.
      const toCursor = (key: ListKey, back: boolean) => toBase64([hash, back ? 1 : 0, count, ...key]);
      const [first, last] = [rows[0]?.key, rows.at(-1)?.key];
      const atEnd = end === null ? null : toCursor(end, isBackward);
      const atStart = isBackward ? last : from === null ? undefined : first;
      const other = atStart === undefined ? null : toCursor(atStart, !isBackward);
      const [next, previous] = isBackward ? [other, atEnd] : [atEnd, other];
      return { results: rows.map(({ row }) => toBody(row)), next, previous, ...(count === null ? {} : { count }) };
    },
  };
}

/**
 * Reads the query of an endpoint without pages.
 *
 * @throws RequestError 400 with messages by parameter.
 */
export function readFilters<S extends z.ZodRawShape>(url: string, filters: S): z.infer<z.ZodObject<S>> {
  const parsed = z.strictObject(filters).safeParse(readQuery(url));
  if (!parsed.success) throw fieldErrors(toMessages(parsed.error));
  return parsed.data as z.infer<z.ZodObject<S>>;
}

function readQuery(url: string): Readonly<Record<string, string>> {
  const entries = [...new URL(url).searchParams];
  const names = entries.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw fieldErrors({ [twice]: ["Give this parameter once."] });
  return Object.fromEntries(entries.filter(([, value]) => value !== ""));
}

function toMessages(error: z.ZodError): Readonly<Record<string, readonly string[]>> {
  const messages: Record<string, readonly string[]> = {};
  for (const issue of error.issues) {
    if (issue.code === "unrecognized_keys") {
      for (const name of issue.keys) messages[name] = ["There is no such parameter."];
    } else messages[String(issue.path[0])] = [`${issue.message}.`.replace(/\.\.$/, ".")];
  }
  return messages;
}

/** A cursor that was read and checked. */
interface ParsedCursor extends Pick<ListPart, "from" | "isBackward"> {
  /** How many rows match, as counted for the first page; `null` if they weren't. */
  readonly total: number | null;
}

/** Checks every value: clients can write cursors of their own, and a database fails on a value of another type. */
function parseCursor(cursor: string, hash: string, shape: KeyShape): ParsedCursor {
  const [of, back, total, ...key] = fromBase64(cursor);
  const isKey = key.length === shape.length && key.every((value, index) => isOfType(value, shape[index]));
  const isTotal = total === null || (Number.isSafeInteger(total) && (total as number) >= 0);
  if (of === hash && isKey && isTotal) {
    return { from: key as unknown as ListKey, isBackward: back === 1, total: total as number | null };
  }
  throw new RequestError(400, { cursor: ["This cursor belongs to another list. Start again without it."] });
}

function isOfType(value: unknown, type: KeyShape[number] | undefined): boolean {
  return type === "number" ? Number.isSafeInteger(value) : typeof value === "string" && !/\p{Surrogate}/u.test(value);
}

function toBase64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function fromBase64(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}
