import { AuthError } from "../../core/errors.ts";
import type { RefreshEvent } from "../../events/events.ts";
import { createEventStream } from "../../http/response/event-stream.ts";
import type { Attacker } from "./attacker.ts";
import { type DemoState, type Lane, type Line, now, type Outcome, type RunInfo, toDuration } from "./lines.ts";
import { type Figures, toOutcome } from "./outcome.ts";

/** What is known about the request that causes an event. */
export interface RequestMark {
  readonly lane: Lane;
  /** When it arrived: milliseconds since the epoch. */
  readonly at: number;
  /** Whether its response will be lost. */
  readonly isLost: boolean;
}

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
  readonly signals: Readonly<Record<"tab" | "node", AbortSignal>>;
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

/** For how long a page may start over after the session was revoked, in milliseconds. */
const startOverWithin = 600_000;

/** Creates a run and its stream. */
export function createRun(options: RunOptions): Run {
  const { id, session, reuseInterval, refreshTokenLifetime, signals, attacker, askOtherNode, onEnd } = options;
  /** When each generation was made. */
  const madeAt = new Map<number, number>();
  let generation = session.generation;
  let tab = generation;
  let copy: number | null = null;
  let copiedAt: number | null = null;
  let gain: Figures["gain"] = null;
  let reuseBy: Figures["reuseBy"] = null;
  let isExpected = false;
  let first: { readonly node: "tab" | "node"; readonly at: number } | undefined;
  const out = { tab: false, node: false };
  let startOverUntil = 0;
  let lostAt: number | undefined;

  const stream = createEventStream({
    onEnd() {
      attacker.forget();
      for (const [node, signal] of entries) signal.removeEventListener("abort", listeners[node]);
      onEnd();
    },
  });
  const listeners = { tab: () => onOut("tab"), node: () => onOut("node") };
  const entries = [["tab", signals.tab] as const, ["node", signals.node] as const];

  function add({ at = now(), lane, tone, title, detail }: Omit<Line, "at"> & { readonly at?: number }): void {
    stream.send({ event: "line", data: { at, lane, tone, title, detail } satisfies Line });
  }

  function sendState(): void {
    const data: DemoState = {
      generation,
      tab,
      rotatedAt: madeAt.get(generation) ?? null,
      attacker: copy,
      attackerIsIn: gain !== null && first === undefined,
      tabIsOut: out.tab,
      nodeIsOut: out.node,
      canStartOver: startOverUntil > now(),
    };
    stream.send({ event: "state", data });
  }

  function sendOutcome(outcome: Outcome): void {
    stream.send({ event: "outcome", data: outcome });
  }

  function onOut(node: "tab" | "node"): void {
    if (out[node]) return;
    out[node] = true;
    const at = now();
    if (first === undefined) {
      first = { node, at };
      if (isExpected || reuseBy !== null) startOverUntil = at + startOverWithin;
    } else {
      const detail = `${toDuration(at - first.at)} after it was revoked`;
      add({
        at,
        lane: node,
        tone: "good",
        title: node === "node" ? "Session refused" : "This node refuses the session",
        detail,
      });
      void finish(at - first.at).catch(() => {});
    }
    sendState();
  }

  /** Lets the attacker try again what worked before, and says how it ended. */
  async function finish(otherNodeAfter: number): Promise<void> {
    const request = attacker.toAccountRequest();
    if (request !== null) {
      const statuses = [(await askOtherNode(request)).status, (await attacker.readAccount())?.status];
      const refused = statuses.filter((status) => status === 401).length;
      const title = refused === 2 ? "Access token refused" : "Access token accepted";
      add({
        lane: "attacker",
        tone: refused === 2 ? "good" : "bad",
        title,
        detail: `${statuses.join(" and ")} on the two nodes`,
      });
      await attacker.refresh();
    }
    const [{ reason }] = [signals.tab];
    sendOutcome(
      toOutcome({
        copiedAt,
        gain,
        reuseBy,
        otherNodeAfter,
        reuseInterval,
        refreshTokenLifetime,
        reason: reason instanceof AuthError ? (reason.revokeReason ?? null) : null,
        revokedAt: first?.at ?? now(),
      }),
    );
  }

  function rotated(presented: number, { lane, at, isLost }: RequestMark): void {
    const time = now();
    generation = presented + 1;
    madeAt.set(generation, time);
    const arrow = `${presented} → ${generation}`;
    const took = toDuration(time - at);
    if (lane === "attacker") {
      copy = generation;
      gain ??= { at: time, replacedFor: null };
      add({ lane, tone: "bad", title: `Refreshes ${arrow}`, detail: "the copy was not spent yet" });
      sendOutcome({ tone: "bad", text: "The attacker is logged in as you. Your next refresh reveals it." });
    } else if (isLost) {
      lostAt = time;
      add({
        lane,
        tone: "odd",
        title: `Refresh ${arrow}, response lost`,
        detail: "the connection broke before a byte of it",
      });
    } else {
      tab = generation;
      add({ lane, tone: "good", title: `Refresh ${arrow}`, detail: took });
      sendOutcome({ tone: "good", text: `Token ${presented} is spent. Token ${generation} replaced it in ${took}.` });
    }
  }

  function replayed(presented: number, { lane }: RequestMark): void {
    const time = now();
    const next = presented + 1;
    const replacedFor = time - (madeAt.get(next) ?? time);
    const after = toDuration(replacedFor);
    if (lane === "attacker") {
      copy = next;
      gain ??= { at: time, replacedFor };
      add({
        lane,
        tone: "bad",
        title: `Uses ${presented}, gets ${next} too`,
        detail: `${after} after your refresh: it looks like a retry`,
      });
      sendOutcome({ tone: "bad", text: `The attacker got token ${next} too, because its request looks like a retry.` });
    } else {
      tab = next;
      add({
        lane,
        tone: "good",
        title: `Asks again, gets the same ${next}`,
        detail: `${after} later. You stay logged in`,
      });
      if (lostAt === undefined) return;
      lostAt = undefined;
      sendOutcome({
        tone: "good",
        text: `The response was lost. The browser asked again ${after} later and got the same token ${next}: you stay logged in.`,
      });
    }
  }

  function reused(presented: number, { lane }: RequestMark): void {
    reuseBy = lane === "attacker" ? "attacker" : "user";
    const made = madeAt.get(presented + 1);
    const age = made === undefined ? "" : `${presented + 1} is ${toDuration(now() - made)} old. `;
    const title = lane === "attacker" ? `Uses ${presented}: a spent token` : `Refresh with ${presented}: a spent token`;
    const tone = lane === "attacker" ? "good" : "odd";
    add({ lane, tone, title, detail: `${age}The session is revoked` });
    // The signals may have been aborted before this event.
    if (first !== undefined && startOverUntil === 0) startOverUntil = now() + startOverWithin;
  }

  const run: Run = {
    id,
    session,
    response: stream.response,
    add,
    refreshed({ outcome, generation: presented = generation }, mark = { lane: "tab", at: now(), isLost: false }) {
      if (outcome === "rotated") rotated(presented, mark);
      else if (outcome === "replayed") replayed(presented, mark);
      else if (outcome === "reuse_detected") reused(presented, mark);
      else if (mark.lane === "attacker") {
        add({ lane: "attacker", tone: "good", title: "Refresh token refused", detail: "the session is revoked" });
      }
      sendState();
    },
    steal(token, copied) {
      attacker.copy(token);
      copy = copied;
      copiedAt = now();
      gain = null;
      add({
        lane: "attacker",
        tone: "odd",
        title: `Copies your refresh token ${copied}`,
        detail: "as malware on your machine could",
      });
      sendOutcome({ tone: "odd", text: `The attacker has a copy of refresh token ${copied}. You don't notice.` });
      sendState();
    },
    async useCopy() {
      if (copy === null) return;
      await attacker.refresh();
      const account = await attacker.readAccount();
      if (account?.status !== 200 || first !== undefined) return;
      const detail = `reads your account, ${toDuration(account.milliseconds)}`;
      add({ lane: "attacker", tone: "bad", title: "Is logged in as you", detail });
    },
    expectRevocation() {
      isExpected = true;
    },
    startOver() {
      const until = startOverUntil;
      startOverUntil = 0;
      if (until <= now()) return null;
      return () => {
        startOverUntil = until;
      };
    },
    close: () => stream.end(),
  };
  for (const [node, signal] of entries) signal.addEventListener("abort", listeners[node]);
  stream.send({ event: "run", data: { id, reuseInterval } satisfies RunInfo });
  const started = `session ${session.id.slice(0, 8)}…, refresh token ${generation}`;
  add({ lane: "tab", tone: "good", title: "Logged in", detail: started });
  sendState();
  return run;
}
