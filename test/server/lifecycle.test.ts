import { describe, expect, it, vi } from "vitest";
import { closeOnSignals, type ProcessSignals } from "../../src/server/lifecycle.ts";

/** Starts a server that the test closes with `finish` or `fail`, in a process that records its exits. */
function start(shutdownDelay = 0) {
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
    shutdownDelay,
    close: () => {
      seen.closes += 1;
      return ended;
    },
    log: {
      request() {},
      event() {},
      malformed() {},
      cleanup() {},
      lostCookies() {},
      publicPath() {},
      linesLost() {},
      error: (error: unknown) => void seen.errors.push(error),
    },
  };
  const clock = { now: 0 };
  closeOnSignals(server, process, () => clock.now);
  return { seen, clock, finish, fail, send: (name: string, error?: unknown) => listeners.get(name)?.(error) };
}

const settle = () => new Promise(setImmediate);

describe("the process of a server", () => {
  it.each(["SIGTERM", "SIGINT"])("closes the server at %s and then exits with 0", async (signal) => {
    const { seen, send, finish } = start();
    send(signal);
    await settle();
    expect(seen).toMatchObject({ closes: 1, exits: [] });
    finish();
    await settle();
    expect(seen.exits).toEqual([0]);
  });

  it("exits with 1 at a second signal, without waiting for the server to close", () => {
    const { seen, send, clock } = start();
    send("SIGINT");
    clock.now = 501;
    send("SIGINT");
    expect(seen).toMatchObject({ closes: 1, exits: [1] });
  });

  it("ignores the duplicate of a signal that npm forwards", () => {
    const { seen, send, clock } = start();
    send("SIGINT");
    clock.now = 20;
    send("SIGINT");
    expect(seen).toMatchObject({ closes: 1, exits: [] });
  });

  it("exits with 1 if closing takes longer than shutdownDelay and 10 seconds", () => {
    vi.useFakeTimers();
    try {
      const { seen, send } = start(3);
      send("SIGTERM");
      vi.advanceTimersByTime(12_999);
      expect(seen.exits).toEqual([]);
      vi.advanceTimersByTime(1);
      expect(seen.exits).toEqual([1]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("logs the error and exits with 1 if closing fails", async () => {
    const { seen, send, fail } = start();
    send("SIGTERM");
    fail(new Error("the disk is gone"));
    await settle();
    expect(seen).toMatchObject({ errors: [new Error("the disk is gone")], exits: [1] });
  });

  it("logs an uncaught exception and exits with 1", () => {
    const { seen, send } = start();
    send("uncaughtException", new Error("unexpected"));
    expect(seen).toMatchObject({ errors: [new Error("unexpected")], exits: [1] });
  });
});
