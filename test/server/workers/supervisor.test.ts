import { describe, expect, it } from "vitest";
import { createSupervisor, WorkerFailedError, type WorkerProcess } from "../../../src/server/workers/supervisor.ts";
import { createManualTime, settled } from "../../support/manual-time.ts";

const report = { url: "http://127.0.0.1:8000", consoleUrl: null, database: "a database", notices: ["a notice"] };

/** Creates a supervisor whose processes the test makes ready, and ends. */
function create(count = 2) {
  const time = createManualTime();
  const forks: ReturnType<typeof fork>[] = [];
  const notices: string[] = [];

  function fork(number: number) {
    let onMessage: (message: unknown) => void = () => {};
    let onExit: (code: number | null, signal: string | null) => void = () => {};
    const [sent, signals]: [{ ask?: string; id?: number }[], string[]] = [[], []];
    const process: WorkerProcess = {
      send: (message) => void sent.push(message),
      stop: () => void signals.push("SIGTERM"),
      onMessage(listener) {
        onMessage = listener;
      },
      onExit(listener) {
        onExit = listener;
      },
    };
    return {
      ...{ number, process, sent, signals },
      ready: () => onMessage({ ready: report }),
      message: (message: object) => onMessage(message),
      exit: (code: number | null, signal: string | null = null) => onExit(code, signal),
      /** Answers the last question. */
      answer: (answer: unknown) => onMessage({ answer, id: sent.at(-1)?.id }),
    };
  }

  const supervisor = createSupervisor({
    count,
    fork(number) {
      const forked = fork(number);
      forks.push(forked);
      return forked.process;
    },
    log: { notice: (level, sentence) => void notices.push(`${level}: ${sentence}`) },
    ...{ clock: time.clock, schedule: time.schedule },
  });
  return { supervisor, forks, notices, time };
}

async function start(count = 2) {
  const created = create(count);
  const started = created.supervisor.start();
  for (let n = 0; n < count; n++) {
    created.forks[n]?.ready();
    await settled();
  }
  expect(await started).toEqual(report);
  return created;
}

describe("the supervisor of workers", () => {
  it("starts the others when the first worker is ready, because it migrates the database", async () => {
    const { supervisor, forks } = create(3);
    const started = supervisor.start();
    expect(forks.map(({ number }) => number)).toEqual([1]);
    forks[0]?.ready();
    await settled();
    expect(forks.map(({ number }) => number)).toEqual([1, 2, 3]);
    for (const fork of forks.slice(1)) fork.ready();
    expect(await started).toEqual(report);
    expect(supervisor.counts()).toEqual({ wanted: 3, ready: 3, restarts: 0 });
  });

  it("fails to start if a worker ends first, and starts it not again", async () => {
    const { supervisor, forks, time } = create();
    const started = supervisor.start();
    forks[0]?.exit(1);
    await expect(started).rejects.toThrow(WorkerFailedError);
    await time.advance(60);
    expect(forks).toHaveLength(1);
  });

  it("starts a worker again after 0.25 s, then after twice the time for each failure in a row, up to 30 s", async () => {
    const { supervisor, forks, time, notices } = await start();
    for (const delay of [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30]) {
      forks.at(-1)?.exit(null, "SIGKILL");
      expect(notices.at(-1)).toBe(`error: worker 2 ended by SIGKILL; it is started again in ${delay} s`);
      const before = forks.length;
      await time.advance(delay - 0.01);
      expect(forks).toHaveLength(before);
      await time.advance(0.01);
      expect(forks).toHaveLength(before + 1);
    }
    expect(supervisor.counts()).toEqual({ wanted: 2, ready: 1, restarts: 9 });
    forks.at(-1)?.ready();
    await settled();
    expect(notices.at(-1)).toBe("info: worker 2 is ready again");
    await time.advance(60);
    forks.at(-1)?.exit(1);
    expect(notices.at(-1)).toBe("error: worker 2 ended with code 1; it is started again in 0.25 s");
  });

  it("answers the health of the workers that are ready, also to a worker that asks", async () => {
    const { supervisor, forks } = await start();
    const [first, second] = forks;
    const healthy = supervisor.health();
    first?.answer({ ok: true });
    second?.answer({ ok: true });
    expect(await healthy).toEqual({ ok: true });

    first?.message({ ask: "health", id: 7 });
    first?.answer({ ok: true });
    second?.answer({ ok: false, reason: "stale" });
    await settled();
    expect(first?.sent.at(-1)).toEqual({ answer: { ok: false, reason: "worker 2: stale" }, id: 7 });

    const withoutOne = supervisor.health();
    first?.answer({ ok: true });
    second?.exit(1);
    expect(await withoutOne).toEqual({ ok: true });
  });

  it("takes a worker that doesn't answer for not ready, and leaves its metrics out", async () => {
    const { supervisor, forks, time } = await start();
    const health = supervisor.health();
    forks[1]?.answer({ ok: true });
    await time.advance(10);
    expect(await health).toEqual({ ok: false, reason: "worker 1 does not answer" });
    const metrics = supervisor.metrics();
    forks[0]?.answer("a 1\n");
    forks[1]?.message({ failure: true, id: forks[1].sent.at(-1)?.id });
    expect(await metrics).toEqual(["a 1\n"]);
  });

  it("sends SIGTERM to all workers when it closes, waits for them, and starts none again", async () => {
    const { supervisor, forks, time } = await start(3);
    forks[2]?.exit(1);
    const closed = supervisor.close();
    expect(forks.map(({ signals }) => signals)).toEqual([["SIGTERM"], ["SIGTERM"], []]);
    let isClosed = false;
    void closed.then(() => {
      isClosed = true;
    });
    forks[0]?.exit(0);
    await settled();
    expect(isClosed).toBe(false);
    forks[1]?.exit(0);
    await closed;
    await time.advance(60);
    expect(forks).toHaveLength(3);
    expect(supervisor.close()).toBe(closed);
  });

  it("fails to close if a worker had to break off a request", async () => {
    const { supervisor, forks } = await start();
    const closed = supervisor.close();
    forks[0]?.exit(0);
    forks[1]?.exit(1);
    await expect(closed).rejects.toThrow("1 of 2 workers failed to close");
  });
});
