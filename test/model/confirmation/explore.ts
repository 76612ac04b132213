/** What one step leads to. */
export interface Step<W> {
  readonly label: string;
  readonly world: W;
}

/** A model: its first states, its steps, and what must never be. */
export interface Model<W> {
  readonly first: readonly W[];
  readonly toSteps: (world: W) => readonly Step<W>[];
  readonly isViolated: (world: W) => boolean;
  /** How a state's revocation was confirmed; `null` if it wasn't. */
  readonly toConfirmation: (world: W) => string | null;
  /** The longest way that is explored. */
  readonly mostSteps: number;
}

/** What was found. */
export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** The ways in which a revocation was confirmed. */
  readonly confirmations: ReadonlySet<string>;
  /** The shortest way to a violation, or `null`. */
  readonly violation: readonly string[] | null;
}

interface Reached<W> {
  readonly world: W;
  readonly from: Reached<W> | null;
  readonly label: string;
}

/** Visits every state within `mostSteps`, nearest first, and ends at the first violation. */
export function explore<W>({ first, toSteps, isViolated, toConfirmation, mostSteps }: Model<W>): Exploration {
  const seen = new Set(first.map((world) => JSON.stringify(world)));
  const confirmations = new Set<string>();
  let transitions = 0;
  let layer: Reached<W>[] = first.map((world) => ({ world, from: null, label: "" }));
  for (let steps = 0; steps < mostSteps && layer.length > 0; steps++) {
    const next: Reached<W>[] = [];
    for (const from of layer) {
      for (const { label, world } of toSteps(from.world)) {
        transitions++;
        const confirmation = toConfirmation(world);
        if (confirmation !== null) confirmations.add(confirmation);
        const reached = { world, from, label };
        if (isViolated(world)) return { states: seen.size, transitions, confirmations, violation: toTrace(reached) };
        const key = JSON.stringify(world);
        if (seen.has(key)) continue;
        seen.add(key);
        next.push(reached);
      }
    }
    layer = next;
  }
  return { states: seen.size, transitions, confirmations, violation: null };
}

function toTrace<W>(reached: Reached<W>): readonly string[] {
  return reached.from === null ? [] : [...toTrace(reached.from), reached.label];
}

/** Prints what was found. */
export function print(name: string, { states, transitions, violation }: Exploration): void {
  const numbers = `${states.toLocaleString("en")} states, ${transitions.toLocaleString("en")} transitions`;
  console.log(`model: ${name}: ${numbers}, ${violation === null ? "0 violations" : "violates I13"}`);
}
