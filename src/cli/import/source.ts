import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { toErrorCode } from "../../core/errors.ts";
import type { Context } from "../context.ts";
import { CommandError } from "../errors.ts";

/** The format of a file: a JSON array, JSON Lines, or CSV. */
export type Format = "json" | "jsonl" | "csv";

/** The source of an import. */
export interface Source {
  /** The size in bytes, or `null` for a stream, whose size is unknown. */
  readonly size: number | null;
  /** The content, in chunks of any size. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * Opens a file, or stdin if `path` is "-".
 *
 * @throws CommandError if there is no such file.
 */
export async function openSource({ directory, stdin }: Context, path: string): Promise<Source> {
  if (path === "-") return { size: null, bytes: stdin };
  const file = resolve(directory, path);
  const found = await stat(file).catch(() => null);
  if (found === null || found.isDirectory())
    throw new CommandError(`no file ${path}; check the path, or use "-" for stdin`);
  return { size: found.isFile() ? found.size : null, bytes: readFile(file, path) };
}

/**
 * Returns the same source with a function `share`. It returns how much has been read, as a number from 0 to 1. If the size
 * is unknown, it returns `null`.
 */
export function countBytes({ size, bytes }: Source): Source & { readonly share: () => number | null } {
  let count = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      count += chunk.length;
      yield chunk;
    }
  }
  return { size, bytes: counted(), share: () => (size ? Math.min(count / size, 1) : null) };
}

async function* readFile(file: string, path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file);
  } catch (error) {
    throw new CommandError(`${path} can't be read (${toErrorCode(error) ?? "unknown error"})`);
  }
}

/**
 * Detects the format by the first character: "[" means JSON, "{" means JSON Lines, and any other character means CSV.
 *
 * @returns the format, and all bytes, including those that were read to detect it.
 * @throws CommandError if the file is empty, compressed, or in UTF-16.
 */
export async function detectFormat(
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ readonly format: Format; readonly bytes: AsyncIterable<Uint8Array> }> {
  const rest = bytes[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  for (;;) {
    const { value, done } = await rest.next();
    if (!done) head = Buffer.concat([head, value]);
    if (head.length < 2 && !done) continue;
    requireText(head);
    const first = head.find((byte) => byte > 0x20 && !byteOrderMark.has(byte));
    if (first !== undefined) return { format: toFormat(first), bytes: concatenate(head, rest) };
    if (done || head.length > maxBlankHead) throw new CommandError("the file is empty; there is nothing to import");
  }
}

/** The bytes of U+FEFF in UTF-8. */
const byteOrderMark: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf]);

/** The maximum number of bytes of white space at the start of a file. */
const maxBlankHead = 65_536;

function toFormat(first: number): Format {
  if (first === 0x5b) return "json";
  return first === 0x7b ? "jsonl" : "csv";
}

function requireText(head: Buffer): void {
  const start = head.toString("hex", 0, 2);
  if (start === "fffe" || start === "feff") throw new CommandError("the file is in UTF-16; save it in UTF-8");
  if (start === "1f8b") {
    throw new CommandError("the file is compressed; run: gunzip -c FILE | tokenpair users import -");
  }
}

async function* concatenate(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* { [Symbol.asyncIterator]: () => rest };
}
