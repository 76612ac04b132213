import { AuthError } from "../../core/errors.ts";
import type { RefreshEvent } from "../../events/events.ts";
import { createEventStream } from "../../http/response/event-stream.ts";
import type { Attacker } from "./attacker.ts";
import { type Line, now, type Outcome, type RunInfo, toDuration } from "./lines.ts";
import { toOutcome } from "./outcome.ts";
import {
  applyCopy,
  applyRefresh,
  applyRevocation,
  type Node,
  type RequestMark,
  type Step,
  toDemoState,
  toFirstState,
} from "./run-state.ts";

/** The session that a run shows. */
export interface RunSession {
  readonly id: string;
  readonly userId: string;
  readonly generation: number;
}

/** The options of `createRun`. */
export interface RunOptions {
  readonly id: string;
  readonly session: RunSession;
  /** The setting `reuseInterval`, in seconds. */
  readonly reuseInterval: number;
  /** The setting `refreshTokenLifetime`, in seconds. */
  readonly refreshTokenLifetime: number;
  /** Abort when each node knows that the session is revoked. */
  readonly signals: Readonly<Record<Node, AbortSignal>>;
  readonly attacker: Attacker;
  /** Sends a request to the other node. */
  readonly askOtherNode: (request: Request) => Promise<Response>;
  readonly onEnd: () => void;
}

/** One page's view of its session: everything that happens to it, from the opening of the page on. */
export interface Run {
  readonly id: string;
  readonly session: RunSession;
  readonly response: Response;
  /** Adds a refresh to the timeline. */
  refreshed(event: RefreshEvent, mark: RequestMark | undefined): void;
  /** Gives the attacker a copy of a refresh token. */
  steal(token: string, generation: number): void;
  /** Lets the attacker use its copy. */
  useCopy(): Promise<void>;
  /** Adds a line. */
  add(line: Omit<Line, "at"> & { readonly at?: number }): void;
  /** Says that the demonstration itself is about to revoke the session. */
  expectRevocation(): void;
  /**
   * Uses up the permission to start over.
   *
   * @returns a function that gives it back, or `null` if there was none.
   */
  startOver(): (() => void) | null;
  close(): void;
}

/** Creates a run and its stream. */
export function createRun(options: RunOptions): Run {
  const { id, session, reuseInterval, refreshTokenLifetime, signals, attacker, askOtherNode, onEnd } = options;
  let state = toFirstState(session.generation);

  const stream = createEventStream({
    onEnd() {
      attacker.forget();
      signals.tab.removeEventListener("abort", onTabOut);
      signals.node.removeEventListener("abort", onNodeOut);
      onEnd();
    },
  });
  const onTabOut = () => onOut("tab");
  const onNodeOut = () => onOut("node");

  function add({ at = now(), lane, tone, title, detail }: Omit<Line, "at"> & { readonly at?: number }): void {
    stream.send({ event: "line", data: { at, lane, tone, title, detail } satisfies Line });
  }

  function sendState(): void {
    stream.send({ event: "state", data: toDemoState(state, now()) });
  }

  function sendOutcome(outcome: Outcome): void {
    stream.send({ event: "outcome", data: outcome });
  }

  function take(step: Step): void {
    state = step.state;
    if (step.line !== undefined) add(step.line);
    if (step.outcome !== undefined) sendOutcome(step.outcome);
    sendState();
  }

  function onOut(node: Node): void {
    if (state.refusedBy.includes(node)) return;
    const { revokedAt } = state;
    const at = now();
    take(applyRevocation(state, node, at));
    if (revokedAt !== null) void finish(revokedAt, at - revokedAt).catch(() => {});
  }

  /** Lets the attacker try again what worked before, and says how it ended. */
  async function finish(revokedAt: number, otherNodeAfter: number): Promise<void> {
    const request = attacker.toAccountRequest();
    if (request !== null) {
      const statuses = [(await askOtherNode(request)).status, (await attacker.readAccount())?.status];
      const isRefused = statuses.every((status) => status === 401);
      add({
        lane: "attacker",
        tone: isRefused ? "good" : "bad",
        title: isRefused ? "Access token refused" : "Access token accepted",
        detail: `${statuses.join(" and ")} on the two nodes`,
      });
      await attacker.refresh();
    }
    const { copiedAt, gain, reuseBy } = state;
    const { reason } = signals.tab;
    sendOutcome(
      toOutcome({
        copiedAt,
        gain,
        reuseBy,
        otherNodeAfter,
        reuseInterval,
        refreshTokenLifetime,
        reason: reason instanceof AuthError ? (reason.revokeReason ?? null) : null,
        revokedAt,
      }),
    );
  }

  const run: Run = {
    id,
    session,
    response: stream.response,
    add,
    refreshed(event, mark = { lane: "tab", at: now(), isLost: false }) {
      take(applyRefresh(state, event, mark, now()));
    },
    steal(token, copied) {
      attacker.copy(token);
      take(applyCopy(state, copied, now()));
    },
    async useCopy() {
      if (state.copy === null) return;
      await attacker.refresh();
      const account = await attacker.readAccount();
      if (account?.status !== 200 || state.revokedAt !== null) return;
      const detail = `reads your account, ${toDuration(account.milliseconds)}`;
      add({ lane: "attacker", tone: "bad", title: "Is logged in as you", detail });
    },
    expectRevocation() {
      state = { ...state, isRevocationExpected: true };
    },
    startOver() {
      const { startOverUntil } = state;
      state = { ...state, startOverUntil: 0 };
      if (startOverUntil <= now()) return null;
      return () => {
        state = { ...state, startOverUntil };
      };
    },
    close: () => stream.end(),
  };
  signals.tab.addEventListener("abort", onTabOut);
  signals.node.addEventListener("abort", onNodeOut);
  stream.send({ event: "run", data: { id, reuseInterval } satisfies RunInfo });
  const started = `session ${session.id.slice(0, 8)}…, refresh token ${state.generation}`;
  add({ lane: "tab", tone: "good", title: "Logged in", detail: started });
  sendState();
  return run;
}
