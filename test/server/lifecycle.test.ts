import { describe, expect, it } from "vitest";
import { endWithProcess, type ProcessSignals } from "../../src/server/lifecycle.ts";

/** A process that remembers what it is asked to do, and a server whose end is up to the test. */
function start() {
  const listeners = new Map<string, (error?: unknown) => void>();
  const seen = { exits: [] as number[], closes: 0, errors: [] as unknown[] };
  const process: ProcessSignals = {
    on: (name: string, listener: (error?: unknown) => void) => listeners.set(name, listener),
    exit: (code) => void seen.exits.push(code),
  };
  let finish = (): void => {};
  let fail = (_: unknown): void => {};
  const ended = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  const server = {
    close: () => {
      seen.closes += 1;
      return ended;
    },
    log: {
      request() {},
      event() {},
      malformed() {},
      cleanup() {},
      error: (error: unknown) => void seen.errors.push(error),
    },
  };
  const clock = { now: 0 };
  endWithProcess(server, process, () => clock.now);
  return { seen, clock, finish, fail, send: (name: string, error?: unknown) => listeners.get(name)?.(error) };
}

const settle = () => new Promise(setImmediate);

describe("the end of a server", () => {
  it.each(["SIGTERM", "SIGINT"])("comes with %s: it closes, then exits with 0", async (signal) => {
    const { seen, send, finish } = start();
    send(signal);
    await settle();
    expect(seen).toMatchObject({ closes: 1, exits: [] });
    finish();
    await settle();
    expect(seen.exits).toEqual([0]);
  });

  it("comes at once with a second signal", () => {
    const { seen, send, clock } = start();
    send("SIGINT");
    clock.now = 501;
    send("SIGINT");
    expect(seen).toMatchObject({ closes: 1, exits: [1] });
  });

  it("is not hurried by the copy of a signal that npm passes on", () => {
    const { seen, send, clock } = start();
    send("SIGINT");
    clock.now = 20;
    send("SIGINT");
    expect(seen).toMatchObject({ closes: 1, exits: [] });
  });

  it("is logged and exits with 1 where closing fails", async () => {
    const { seen, send, fail } = start();
    send("SIGTERM");
    fail(new Error("the disk is gone"));
    await settle();
    expect(seen).toMatchObject({ errors: [new Error("the disk is gone")], exits: [1] });
  });

  it("comes with an error that nobody caught, which is logged", () => {
    const { seen, send } = start();
    send("uncaughtException", new Error("unexpected"));
    expect(seen).toMatchObject({ errors: [new Error("unexpected")], exits: [1] });
  });
});
