/**
 * Readers in a process of their own: `readers.ts PORT CREDENTIAL COUNT MODE`. Opens that many streams, and tells when each of them has
 * its first frame. With the mode `read`, it answers each message when every stream has got one more record. With `idle`, it reads
 * nothing.
 */
import { type IncomingMessage, request } from "node:http";
import { headerLength, readHeader, recordLength } from "../../src/revocation/readers/frame.ts";
import { readSharedClock } from "../revocation/watch.ts";

/** When the streams got their first frames, or the same record: sorted, on `readSharedClock`. */
export interface Arrivals {
  readonly times: readonly number[];
}

const [, , port = "", credential = "", count = "", mode = ""] = process.argv;
const total = Number(count);
/** How many connections are being opened at the same time. */
const openedAtOnce = 100;
let times: number[] = [];
let isFirst = true;
let isAsked = false;

function note(): void {
  times.push(readSharedClock());
  if (times.length === total && (isFirst || isAsked)) tell();
}

function tell(): void {
  process.send?.({ times: times.sort((a, b) => a - b) } satisfies Arrivals);
  [times, isFirst, isAsked] = [[], false, false];
}

function open(): Promise<IncomingMessage> {
  const options = {
    port,
    path: "/api/auth/revocations/?stream=1&reader=r",
    headers: { Authorization: `Bearer ${credential}` },
    agent: false,
  } as const;
  return new Promise((resolve, reject) => {
    request(options, resolve).on("error", reject).end();
  });
}

function read(response: IncomingMessage): void {
  let hasFirst = false;
  let rest: Uint8Array = new Uint8Array();
  /** How many bytes of records are still to come. They are passed over. */
  let passing = 0;
  response.on("error", () => {});
  response.on("data", (bytes: Buffer) => {
    let chunk: Uint8Array = rest.length > 0 ? Buffer.concat([rest, bytes]) : bytes;
    for (;;) {
      const passed = Math.min(passing, chunk.length);
      chunk = chunk.subarray(passed);
      passing -= passed;
      if (passed > 0 && passing === 0) note();
      const header = passing > 0 ? null : readHeader(chunk);
      if (header === null) break;
      chunk = chunk.subarray(headerLength);
      passing = header.count * recordLength;
      if (!hasFirst && passing === 0) note();
      hasFirst = true;
    }
    rest = chunk;
  });
}

process.on("message", () => {
  isAsked = true;
  if (times.length === total) tell();
});
process.on("disconnect", () => process.exit());
for (let opened = 0; opened < total; opened += openedAtOnce) {
  const opening = Array.from({ length: Math.min(openedAtOnce, total - opened) }, open);
  for (const response of await Promise.all(opening)) {
    if (mode === "read") read(response);
    else response.socket.pause();
  }
}
if (mode !== "read") tell();
