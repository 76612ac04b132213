import type { Step } from "../explore.ts";
import { toNodeSteps } from "./node-steps.ts";
import { type Lease, lease, longest, type Node, type Revoker, type Row, type World } from "./world.ts";

/** A rule of the protocol that is left out, to show that the model notices. */
export type Breakage =
  | "a node acknowledges before its readers have"
  | "a frame is made before the raised lease is answered"
  | "a frame relies on a read from before the lease was raised"
  | "a reader counts its lease from the delivery of the last byte"
  | "a reader that has disconnected doesn't count"
  | "a silent node is removed after the lease that a look has shown"
  | "a node that revokes doesn't wait for its own readers"
  | "a node that stops removes its row although readers rely on it"
  | "a new reader gets a copy from before the revocation"
  | "a node whose lease couldn't be raised registers with its own";

/** Returns every step that is possible in a state. Whatever isn't taken now is late, lost, or stopped. */
export function toSteps(world: World, breakage: Breakage | null): readonly Step<World>[] {
  return [
    ...toNodeSteps(world, breakage),
    ...toReaderSteps(world, breakage),
    ...toRevokerSteps(world, breakage),
    ...toRegistrySteps(world, breakage),
    { label: "time passes", world: toLater(world) },
  ];
}

function toReaderSteps(world: World, breakage: Breakage | null): Step<World>[] {
  const { node, reader } = world;
  const steps: Step<World>[] = [];
  const [frame, ...rest] = reader.frames;
  if (frame !== undefined) {
    const age = breakage === "a reader counts its lease from the delivery of the last byte" ? 0 : frame.age;
    const delivered = {
      ...reader,
      freshFor: Math.min(reader.freshFor, age),
      hasRevocation: reader.hasRevocation || frame.hasRevocation,
      frames: rest,
    };
    steps.push({ label: "a frame is delivered", world: { ...world, reader: delivered } });
    const forgets = breakage === "a reader that has disconnected doesn't count";
    const others = forgets ? { ...node, reliedOnFor: longest } : node;
    steps.push({
      label: "the connection to the reader breaks",
      world: { ...world, node: others, reader: { ...reader, frames: [] } },
    });
  }
  if (reader.hasRevocation && reader.acknowledgement === "none") {
    const acknowledged = { ...reader, acknowledgement: "sent" } as const;
    steps.push({ label: "the reader acknowledges", world: { ...world, reader: acknowledged } });
  }
  if (reader.acknowledgement === "sent" && !node.isKnown) {
    const label = "the reader's acknowledgement arrives";
    steps.push({ label, world: { ...world, node: { ...node, isKnown: true } } });
  }
  return steps;
}

/** Whether no reader that lacks the revocation relies on a frame. */
export function doReadersKnow({ isKnown, reliedOnFor }: Node): boolean {
  return isKnown || reliedOnFor > lease.reader;
}

function toRevokerSteps(world: World, breakage: Breakage | null): Step<World>[] {
  const { revoker, node } = world;
  const steps: Step<World>[] = [];
  const add = (label: string, changes: Partial<Revoker>, others: Partial<World> = {}) =>
    steps.push({ label, world: { ...world, ...others, revoker: { ...revoker, ...changes } } });
  const { committedFor, look, silentLease, isNode } = revoker;
  if (revoker.confirmed !== null || (isNode && node.isStopped)) return steps;

  if (committedFor === null) {
    const owes = isNode && node.acknowledgement === "none";
    const applied: Node = { ...node, hasRevocation: true, acknowledgement: owes ? "owed" : node.acknowledgement };
    add("the revocation is committed", { committedFor: 0 }, { isRevoked: true, node: isNode ? applied : node });
    return steps;
  }
  // This node's own row says what its readers know. It has the revocation itself.
  const waitsForOwn =
    isNode && !doReadersKnow(node) && breakage !== "a node that revokes doesn't wait for its own readers";
  const ownLease = waitsForOwn ? node.lease : 0;
  if (look === null) add("the revoker looks", { look: { result: null } });
  if (look?.result === null) {
    const rows = world.rows.filter(({ id, covers }) => !covers && !(isNode && id === node.registration));
    const longestLease = Math.max(0, ...rows.map((row) => row.lease));
    add("the look runs", { look: { result: { isCovered: rows.length === 0, silentLease: longestLease } } });
  }
  if (look?.result) {
    const { isCovered, silentLease: silent } = look.result;
    const confirms = isCovered && !waitsForOwn;
    add("the answer of the look arrives", { look: null, silentLease: silent, confirmed: confirms ? "acks" : null });
  }
  const wait = Math.max(silentLease ?? longest, ownLease);
  if (silentLease !== null && committedFor > wait) add("the leases are over", { confirmed: "expiry" });
  return steps;
}

/** A process that looks marks silent nodes, and removes them when the lease is over that it knows of. */
function toRegistrySteps(world: World, breakage: Breakage | null): Step<World>[] {
  const steps: Step<World>[] = [];
  for (const row of world.rows) {
    const others = world.rows.filter(({ id }) => id !== row.id);
    const replace = (changes: Partial<Row>) => ({ ...world, rows: [...others, { ...row, ...changes }].sort(byId) });
    if (row.leavingFor === null) {
      const known: Lease =
        breakage === "a silent node is removed after the lease that a look has shown" ? lease.node : row.lease;
      const label = `row ${row.id} is marked as leaving`;
      steps.push({ label, world: replace({ leavingFor: 0, markedLease: known }) });
    } else if (row.leavingFor > row.markedLease) {
      steps.push({ label: `row ${row.id} is removed`, world: { ...world, rows: others } });
    }
  }
  return steps;
}

const byId = (a: Row, b: Row) => a.id - b.id;

function toLater(world: World): World {
  const { node, reader, revoker } = world;
  const older = (age: number) => Math.min(age + 1, longest);
  return {
    ...world,
    rows: world.rows.map((row) => (row.leavingFor === null ? row : { ...row, leavingFor: older(row.leavingFor) })),
    node: {
      ...node,
      freshFor: older(node.freshFor),
      reliedOnFor: older(node.reliedOnFor),
      read: node.read === null ? null : { ...node.read, age: older(node.read.age) },
    },
    reader: {
      ...reader,
      freshFor: older(reader.freshFor),
      frames: reader.frames.map((frame) => ({ ...frame, age: older(frame.age) })),
    },
    revoker: {
      ...revoker,
      committedFor: revoker.committedFor === null ? null : older(revoker.committedFor),
    },
  };
}
