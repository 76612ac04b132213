import { expect, it } from "vitest";
import { createLogOutput, type LineWriter } from "../../../src/server/observe/log-output.ts";

function open(stream: LineWriter) {
  const lost: unknown[] = [];
  const recovered: number[] = [];
  const output = createLogOutput(stream, {
    onLost: (error) => lost.push(error),
    onRecovered: (count) => recovered.push(count),
  });
  return { output, lost, recovered };
}

/** A stream that stays usable after an error, as Node's stdout does. */
function createStream() {
  const full = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  const state = { isFull: false, lines: [] as string[], full };
  const write: LineWriter["write"] = (line, done) => {
    if (!state.isFull) state.lines.push(line);
    const error = state.isFull ? full : null;
    queueMicrotask(() => done?.(error));
  };
  return Object.assign(state, { write });
}

const settle = () => new Promise(setImmediate);

it("writes the log's lines in their order, and none is lost", async () => {
  const stream = createStream();
  const { output, lost } = open(stream);
  for (const line of ["one\n", "two\n"]) output.write(line);
  await settle();
  expect([stream.lines, lost, output.lost()]).toEqual([["one\n", "two\n"], [], 0]);
});

it("reports the first lost line once, counts every one, and says how many were lost when lines can be written again", async () => {
  const stream = createStream();
  const { output, lost, recovered } = open(stream);
  for (let outage = 0; outage < 2; outage++) {
    stream.isFull = true;
    for (let n = 0; n < 3; n++) output.write("lost\n");
    await settle();
    stream.isFull = false;
    output.write("written\n");
    await settle();
  }
  expect(lost).toEqual([stream.full]);
  expect(recovered).toEqual([3, 3]);
  expect(output.lost()).toBe(6);
  expect(stream.lines).toEqual(["written\n", "written\n"]);
});

it("counts a line that a stream refuses by throwing", () => {
  const { output, lost } = open({
    write() {
      throw new Error("broken");
    },
  });
  output.write("line\n");
  expect([lost, output.lost()]).toEqual([[new Error("broken")], 1]);
});
