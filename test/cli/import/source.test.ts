import { expect, it } from "vitest";
import { detectFormat } from "../../../src/cli/import/source.ts";

async function* toChunks(...chunks: (string | Uint8Array)[]) {
  for (const chunk of chunks) yield typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk;
}

it.each([
  [["[1]"], "json"],
  [["\ufeff", " \n", "[1]"], "json"],
  [['{"id": 1}'], "jsonl"],
  [["id,username\n"], "csv"],
  [["i"], "csv"],
] as const)("detectFormat finds that %j is %s, and returns every byte", async (chunks, format) => {
  const found = await detectFormat(toChunks(...chunks));
  const parts: Uint8Array[] = [];
  for await (const part of found.bytes) parts.push(part);
  expect([found.format, Buffer.concat(parts).toString("utf8")]).toEqual([format, chunks.join("")]);
});

it.each([
  ["nothing", [], "empty"],
  ["a blank file", [" \n", "\t"], "empty"],
  ["a blank file without an end", Array<string>(40).fill(" ".repeat(4_096)), "empty"],
  ["UTF-16, as PowerShell writes it", [new Uint8Array([0xff]), new Uint8Array([0xfe, 0x5b, 0])], "UTF-16.*UTF-8"],
  ["gzip", [new Uint8Array([0x1f, 0x8b, 8])], "gunzip"],
])("detectFormat refuses %s", async (_, chunks, reason) => {
  await expect(detectFormat(toChunks(...chunks))).rejects.toThrow(new RegExp(reason));
});
