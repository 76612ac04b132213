import type { RefreshEvent } from "../../events/events.ts";
import { type DemoState, type Lane, type Line, type Outcome, toDuration } from "./lines.ts";
import type { Figures } from "./outcome.ts";

/** The node that the page uses, and the other one. */
export type Node = "tab" | "node";

/** What is known about the request that causes an event. */
export interface RequestMark {
  readonly lane: Lane;
  /** When it arrived: milliseconds since the epoch. */
  readonly at: number;
  /** Whether its response will be lost. */
  readonly isLost: boolean;
}

/** What has happened to the session of a run. Times are milliseconds since the epoch. */
export interface RunState extends Pick<Figures, "copiedAt" | "gain" | "reuseBy"> {
  /** The number of the newest refresh token. */
  readonly generation: number;
  /** When each refresh token was made, by its number. */
  readonly madeAt: ReadonlyMap<number, number>;
  /** The number of the refresh token that the user's browser holds. */
  readonly tab: number;
  /** The number of the refresh token that the attacker holds; `null`: none. */
  readonly copy: number | null;
  /** Whether a response was lost, and the browser has not asked again since. */
  readonly isResponseLost: boolean;
  /** Whether the demonstration itself is about to revoke the session. */
  readonly isRevocationExpected: boolean;
  /** When the first node knew that the session is revoked; `null`: it isn't. */
  readonly revokedAt: number | null;
  /** The nodes that know it. */
  readonly refusedBy: readonly Node[];
  /** Until when the page may start over; 0: it may not. */
  readonly startOverUntil: number;
}

/** The next state, and what the page shows of the step to it. */
export interface Step {
  readonly state: RunState;
  readonly line?: Line;
  readonly outcome?: Outcome;
}

/** For how long a page may start over after the session was revoked, in milliseconds. */
const startOverWithin = 600_000;

/** Returns the state of a session whose newest refresh token has this number. */
export function toFirstState(generation: number): RunState {
  return {
    generation,
    madeAt: new Map(),
    tab: generation,
    copy: null,
    copiedAt: null,
    gain: null,
    reuseBy: null,
    isResponseLost: false,
    isRevocationExpected: false,
    revokedAt: null,
    refusedBy: [],
    startOverUntil: 0,
  };
}

/** Converts the state to what the page shows. */
export function toDemoState(state: RunState, time: number): DemoState {
  return {
    generation: state.generation,
    tab: state.tab,
    rotatedAt: state.madeAt.get(state.generation) ?? null,
    attacker: state.copy,
    attackerIsIn: state.gain !== null && state.revokedAt === null,
    tabIsOut: state.refusedBy.includes("tab"),
    nodeIsOut: state.refusedBy.includes("node"),
    canStartOver: state.startOverUntil > time,
  };
}

/** Applies a refresh. */
export function applyRefresh(
  state: RunState,
  { outcome, generation: presented = state.generation }: RefreshEvent,
  mark: RequestMark,
  time: number,
): Step {
  if (outcome === "rotated") return rotate(state, presented, mark, time);
  if (outcome === "replayed") return replay(state, presented, mark, time);
  if (outcome === "reuse_detected") return detectReuse(state, presented, mark, time);
  if (mark.lane !== "attacker") return { state };
  return {
    state,
    line: {
      at: time,
      lane: "attacker",
      tone: "good",
      title: "Refresh token refused",
      detail: "the session is revoked",
    },
  };
}

function rotate(state: RunState, presented: number, { lane, at, isLost }: RequestMark, time: number): Step {
  const generation = presented + 1;
  const rotated = { ...state, generation, madeAt: new Map(state.madeAt).set(generation, time) };
  const arrow = `${presented} → ${generation}`;
  if (lane === "attacker") {
    return {
      state: { ...rotated, copy: generation, gain: state.gain ?? { at: time, replacedFor: null } },
      line: { at: time, lane, tone: "bad", title: `Refreshes ${arrow}`, detail: "the copy was not spent yet" },
      outcome: { tone: "bad", text: "The attacker is logged in as you. Your next refresh reveals it." },
    };
  }
  if (isLost) {
    const [title, detail] = [`Refresh ${arrow}, response lost`, "the connection broke before a byte of it"];
    return { state: { ...rotated, isResponseLost: true }, line: { at: time, lane, tone: "odd", title, detail } };
  }
  const took = toDuration(time - at);
  return {
    state: { ...rotated, tab: generation },
    line: { at: time, lane, tone: "good", title: `Refresh ${arrow}`, detail: took },
    outcome: { tone: "good", text: `Token ${presented} is spent. Token ${generation} replaced it in ${took}.` },
  };
}

function replay(state: RunState, presented: number, { lane }: RequestMark, time: number): Step {
  const next = presented + 1;
  const replacedFor = time - (state.madeAt.get(next) ?? time);
  const after = toDuration(replacedFor);
  if (lane === "attacker") {
    const title = `Uses ${presented}, gets ${next} too`;
    return {
      state: { ...state, copy: next, gain: state.gain ?? { at: time, replacedFor } },
      line: { at: time, lane, tone: "bad", title, detail: `${after} after your refresh: it looks like a retry` },
      outcome: { tone: "bad", text: `The attacker got token ${next} too, because its request looks like a retry.` },
    };
  }
  const text = `The response was lost. The browser asked again ${after} later and got the same token ${next}: you stay logged in.`;
  const title = `Asks again, gets the same ${next}`;
  return {
    state: { ...state, tab: next, isResponseLost: false },
    line: { at: time, lane, tone: "good", title, detail: `${after} later. You stay logged in` },
    ...(state.isResponseLost && { outcome: { tone: "good", text } }),
  };
}

function detectReuse(state: RunState, presented: number, { lane }: RequestMark, time: number): Step {
  const isAttacker = lane === "attacker";
  const made = state.madeAt.get(presented + 1);
  const age = made === undefined ? "" : `${presented + 1} is ${toDuration(time - made)} old. `;
  const title = isAttacker ? `Uses ${presented}: a spent token` : `Refresh with ${presented}: a spent token`;
  const detail = `${age}The session is revoked`;
  // A node may have known of the revocation before this event.
  const mayStartOver = state.revokedAt !== null && state.startOverUntil === 0;
  return {
    state: {
      ...state,
      reuseBy: isAttacker ? "attacker" : "user",
      startOverUntil: mayStartOver ? time + startOverWithin : state.startOverUntil,
    },
    line: { at: time, lane, tone: isAttacker ? "good" : "odd", title, detail },
  };
}

/** Gives the attacker a copy of the refresh token with this number. */
export function applyCopy(state: RunState, copied: number, time: number): Step {
  const detail = "as malware on your machine could";
  return {
    state: { ...state, copy: copied, copiedAt: time, gain: null },
    line: { at: time, lane: "attacker", tone: "odd", title: `Copies your refresh token ${copied}`, detail },
    outcome: { tone: "odd", text: `The attacker has a copy of refresh token ${copied}. You don't notice.` },
  };
}

/** Applies that a node knows that the session is revoked. */
export function applyRevocation(state: RunState, node: Node, time: number): Step {
  const refusedBy = [...state.refusedBy, node];
  if (state.revokedAt === null) {
    const mayStartOver = state.isRevocationExpected || state.reuseBy !== null;
    const startOverUntil = mayStartOver ? time + startOverWithin : state.startOverUntil;
    return { state: { ...state, refusedBy, revokedAt: time, startOverUntil } };
  }
  const title = node === "node" ? "Session refused" : "This node refuses the session";
  const detail = `${toDuration(time - state.revokedAt)} after it was revoked`;
  return { state: { ...state, refusedBy }, line: { at: time, lane: node, tone: "good", title, detail } };
}
