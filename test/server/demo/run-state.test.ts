import { describe, expect, it } from "vitest";
import type { RefreshEvent } from "../../../src/events/events.ts";
import {
  applyCopy,
  applyRefresh,
  applyRevocation,
  type RequestMark,
  type RunState,
  toDemoState,
  toFirstState,
} from "../../../src/server/demo/run-state.ts";

const user: RequestMark = { lane: "tab", at: 900, isLost: false };
const attacker: RequestMark = { lane: "attacker", at: 900, isLost: false };

/** Applies a refresh with token 1. */
const refresh = (state: RunState, outcome: RefreshEvent["outcome"], mark: RequestMark, time: number) =>
  applyRefresh(state, { outcome, generation: 1 } as RefreshEvent, mark, time);

describe("the state of a demonstration", () => {
  it("says that the attacker is logged in until a node knows of the revocation", () => {
    const stolen = applyCopy(toFirstState(1), 1, 500).state;
    const { state } = refresh(stolen, "rotated", attacker, 1_000);
    expect(toDemoState(state, 1_000)).toMatchObject({ generation: 2, tab: 1, attacker: 2, attackerIsIn: true });
    const revoked = applyRevocation(refresh(state, "reuse_detected", user, 2_000).state, "tab", 2_001).state;
    expect(toDemoState(revoked, 2_001)).toMatchObject({ attackerIsIn: false, tabIsOut: true, nodeIsOut: false });
  });

  it("explains a lost response only when the browser has asked again", () => {
    const lost = refresh(toFirstState(1), "rotated", { ...user, isLost: true }, 1_000);
    expect([lost.outcome, toDemoState(lost.state, 1_000).tab]).toEqual([undefined, 1]);
    const retry = refresh(lost.state, "replayed", user, 1_500);
    expect(retry.outcome?.text).toMatch(/asked again 500 ms later and got the same token 2/);
    expect(refresh(retry.state, "replayed", user, 1_600).outcome).toBeUndefined();
  });

  it("lets the page start over for ten minutes, whether the reuse or the revocation is known first", () => {
    const first = toFirstState(1);
    const reused = applyRevocation(refresh(first, "reuse_detected", user, 1_000).state, "tab", 1_001).state;
    const revoked = refresh(applyRevocation(first, "tab", 1_000).state, "reuse_detected", user, 1_001).state;
    for (const state of [reused, revoked]) {
      expect(toDemoState(state, 601_000).canStartOver).toBe(true);
      expect(toDemoState(state, 601_001).canStartOver).toBe(false);
    }
    expect(toDemoState(applyRevocation(first, "tab", 1_000).state, 1_001).canStartOver).toBe(false);
  });
});
