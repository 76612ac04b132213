import { expect, it } from "vitest";
import type { Context } from "../../../src/cli/context.ts";
import { createProgressBar } from "../../../src/cli/import/progress.ts";

/** Creates a progress bar on a stream that records what is written to it. */
function createStream(properties: { readonly isTTY?: true; readonly columns?: number }) {
  const written: string[] = [];
  const stderr = { ...properties, write: (text: string) => written.push(text) } as unknown as Context["stderr"];
  return { written, bar: createProgressBar({ stderr }) };
}

it("a progress bar redraws one line", () => {
  const { written, bar } = createStream({ isTTY: true });
  bar.show({ share: 0.5, users: 1, refused: 0 });
  bar.show({ share: 1, users: 1_500, refused: 2 });
  bar.clear();
  expect(written.map((text) => text.replaceAll("\u001B[K", ""))).toEqual([
    "\r[###############...............] 50 %  1 user",
    "\r[##############################] 100 %  1500 users, 2 refused",
    "\r",
  ]);
});

it("a progress bar shows only counts if the size is unknown, and never wraps", () => {
  const { written, bar } = createStream({ isTTY: true, columns: 10 });
  bar.show({ share: null, users: 1_234_567, refused: 0 });
  expect(written).toEqual(["\r\u001B[K1234567 u"]);
});

it("a progress bar writes nothing if stderr is not a terminal", () => {
  const { written, bar } = createStream({});
  bar.show({ share: 0.5, users: 1, refused: 0 });
  bar.clear();
  expect(written).toEqual([]);
});
