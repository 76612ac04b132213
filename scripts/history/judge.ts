import type { Invariant, Line } from "./format.ts";

/** What does not hold, and the lines that prove it. */
export interface Violation {
  readonly invariant: Invariant;
  readonly sentence: string;
  /** Numbers of lines. */
  readonly lines: readonly number[];
}

/** Notes one judgement; a violation, in this sentence, where it does not hold. */
export type Judge = (
  invariant: Invariant,
  holds: boolean,
  sentence: string,
  proof: readonly (Line | null | undefined)[],
) => void;

export interface Judgement {
  readonly violations: readonly Violation[];
  /** How often each invariant was judged: one that never was has proved nothing. */
  readonly judged: ReadonlyMap<Invariant, number>;
}

/** A judge that takes note of these invariants, and the way to its judgement. */
export function createJudge(invariants: readonly Invariant[]) {
  const violations: Violation[] = [];
  const judged = new Map<Invariant, number>(invariants.map((invariant) => [invariant, 0]));
  const judge: Judge = (invariant, holds, sentence, proof) => {
    const count = judged.get(invariant);
    if (count === undefined) return;
    judged.set(invariant, count + 1);
    const lines = [...new Set(proof.flatMap((line) => line?.line ?? []))].sort((a, b) => a - b);
    if (!holds) violations.push({ invariant, sentence, lines });
  };
  return { judge, toJudgement: (): Judgement => ({ violations, judged }) };
}
