import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Context } from "../context.ts";
import { Refused } from "../refused.ts";

export type Format = "json" | "jsonl" | "csv";

/** Bytes to import. */
export interface Source {
  /** In bytes; `null` of a stream, whose end nobody knows. */
  readonly size: number | null;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Opens a file, or stdin where `path` is "-". @throws Refused where there is no such file. */
export async function openSource({ directory, stdin }: Context, path: string): Promise<Source> {
  if (path === "-") return { size: null, bytes: stdin };
  const file = resolve(directory, path);
  const found = await stat(file).catch(() => null);
  if (found === null || found.isDirectory()) throw new Refused(`there is no file ${path}; "-" stands for stdin`);
  return { size: found.isFile() ? found.size : null, bytes: readFile(file, path) };
}

/** The same source, with how much of it has been read: from 0 to 1, or `null` where nobody knows. */
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
    throw new Refused(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/**
 * The format by the first character: a list of JSON, an object of JSON on each line, or else CSV. The bytes that were looked
 * at are handed back with the rest.
 *
 * @throws Refused where there is nothing, or no text in UTF-8.
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
    refuseOtherThanText(head);
    const first = head.find((byte) => byte > 0x20 && !byteOrderMark.has(byte));
    if (first !== undefined) return { format: toFormat(first), bytes: chain(head, rest) };
    if (done || head.length > maxBlankHead) throw new Refused("there is nothing to import: the file is empty");
  }
}

/** U+FEFF in UTF-8. */
const byteOrderMark: ReadonlySet<number> = new Set([0xef, 0xbb, 0xbf]);

const maxBlankHead = 65_536;

function toFormat(first: number): Format {
  if (first === 0x5b) return "json";
  return first === 0x7b ? "jsonl" : "csv";
}

function refuseOtherThanText(head: Buffer): void {
  const start = head.toString("hex", 0, 2);
  if (start === "fffe" || start === "feff") throw new Refused("the file is in UTF-16; save it in UTF-8");
  if (start === "1f8b")
    throw new Refused("the file is compressed; give it as `gunzip -c FILE | tokenpair users import -`");
}

async function* chain(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* { [Symbol.asyncIterator]: () => rest };
}
