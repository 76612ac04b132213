import { expect, it } from "vitest";
import type { Context } from "../../../src/cli/context.ts";
import { createProgressBar } from "../../../src/cli/import/progress.ts";

/** A terminal, or a file, that keeps what is written to it. */
function createStream(properties: { readonly isTTY?: true; readonly columns?: number }) {
  const written: string[] = [];
  const stderr = { ...properties, write: (text: string) => written.push(text) } as unknown as Context["stderr"];
  return { written, bar: createProgressBar({ stderr }) };
}

it("a progress bar is one line that is drawn over itself", () => {
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

it("it counts where nobody knows how much there is, and never wraps", () => {
  const { written, bar } = createStream({ isTTY: true, columns: 10 });
  bar.show({ share: null, users: 1_234_567, refused: 0 });
  expect(written).toEqual(["\r\u001B[K1234567 u"]);
});

it("where stderr is no terminal, nothing is drawn", () => {
  const { written, bar } = createStream({});
  bar.show({ share: 0.5, users: 1, refused: 0 });
  bar.clear();
  expect(written).toEqual([]);
});
