import { toClientSteps, withoutAfterlife } from "./client-steps.ts";
import { toHarmlessSteps, toHostileSteps } from "./hostile-steps.ts";
import { findBrokenRow, findViolation } from "./invariants.ts";
import type { Scenario } from "./scenario.ts";
import { createServer } from "./server.ts";
import { toServerSteps } from "./server-steps.ts";
import { createFirstWorld, type Step, toKey, type World } from "./world.ts";

/** What an exploration found. */
export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** How many different inputs the real flows were run on, each also with a crash at every point. */
  readonly flowRuns: number;
  /** How often each kind of ending was seen. */
  readonly outcomes: ReadonlyMap<string, number>;
  /** The first violation, with the shortest way to it from the login; null if every invariant holds everywhere. */
  readonly violation: { readonly invariant: string; readonly trace: readonly string[] } | null;
}

/** A state with the step that first reached it. */
interface Reached {
  readonly world: World;
  readonly from: Reached | null;
  readonly label: string;
}

/** Visits every state that can be reached, nearest first, and ends early at the first violation. */
export async function explore(scenario: Scenario): Promise<Exploration> {
  const server = createServer(scenario);
  const first: Reached = { world: createFirstWorld(server, scenario), from: null, label: "" };
  const seen = new Set([toKey(first.world)]);
  const seenSnapshots = new Set<number>();
  const outcomes = new Map<string, number>();
  let layer: Reached[] = [first];
  let transitions = 0;
  const toResult = (violation: Exploration["violation"]): Exploration => ({
    states: seen.size,
    transitions,
    flowRuns: server.runs,
    outcomes,
    violation,
  });

  while (layer.length > 0) {
    const nextLayer: Reached[] = [];
    for (const reached of layer) {
      const { world } = reached;
      const isNewToServer = !seenSnapshots.has(world.snapshot.id);
      seenSnapshots.add(world.snapshot.id);
      const brokenRow = isNewToServer ? findBrokenRow(world, server) : null;
      if (brokenRow !== null) return toResult({ invariant: brokenRow, trace: toTrace(reached) });
      for (const step of await toSteps(world, isNewToServer)) {
        transitions++;
        count(outcomes, step);
        const after = withoutAfterlife(step.after);
        const reachedNext = { world: after, from: reached, label: step.label };
        const invariant = findViolation(step, scenario);
        if (invariant !== null) return toResult({ invariant, trace: toTrace(reachedNext) });
        const key = toKey(after);
        if (seen.has(key)) continue;
        seen.add(key);
        nextLayer.push(reachedNext);
      }
    }
    layer = nextLayer;
  }
  return toResult(null);

  async function toSteps(world: World, isNewToServer: boolean): Promise<Step[]> {
    return [
      ...(isNewToServer ? await toHarmlessSteps(world, server, scenario) : []),
      ...toClientSteps(world, scenario),
      ...(await toServerSteps(world, server, scenario)),
      ...(await toHostileSteps(world, server, scenario)),
    ];
  }
}

function count(outcomes: Map<string, number>, { event, before, ending }: Step): void {
  if (ending === undefined) return;
  const { answer } = ending;
  const isReuse =
    event.kind === "refresh" && ending.session?.revokeReason === "reuse" && before.snapshot.session?.revokedAt === null;
  const isUnavailable = answer?.kind === "refused" && answer.code === "unavailable";
  const refusal = isReuse ? "reuse_detected" : isUnavailable ? "unavailable" : event.kind;
  const name = answer === null ? "crash" : answer.kind === "pair" ? answer.outcome : refusal;
  outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
}

function toTrace(last: Reached): readonly string[] {
  const trace: string[] = [];
  for (let at: Reached | null = last; at?.from; at = at.from) trace.unshift(at.label);
  return trace;
}
