import type { Step } from "../explore.ts";
import { type Breakage, doReadersKnow } from "./steps.ts";
import { lease, longest, type Node, type Read, type Reader, type Row, type World } from "./world.ts";

/** How often the node may register. */
const mostRegistrations = 2;

/** How many frames may be under way: one that was made before the revocation came, and one after. */
const mostFrames = 2;

/** Returns the steps of the node: it registers, raises its lease, reads, sends frames, acknowledges and stops. */
export function toNodeSteps(world: World, breakage: Breakage | null): Step<World>[] {
  if (world.node.isStopped) return [];
  return [
    ...toRegistrationSteps(world, breakage),
    ...toReadSteps(world, breakage),
    ...toFrameSteps(world, breakage),
    ...toEndSteps(world, breakage),
  ];
}

type Add = (label: string, changes: Partial<Node>, others?: Partial<World>) => void;

function createSteps(world: World): { readonly steps: Step<World>[]; readonly add: Add } {
  const steps: Step<World>[] = [];
  const add: Add = (label, changes, others = {}) =>
    steps.push({ label, world: { ...world, ...others, node: { ...world.node, ...changes } } });
  return { steps, add };
}

function toRegistrationSteps(world: World, breakage: Breakage | null): Step<World>[] {
  const { steps, add } = createSteps(world);
  const { node, rows } = world;
  const { registration, registering, raising } = node;
  if (!node.isLongerWanted) add("a reader with a longer lease comes", { isLongerWanted: true });

  if (registration === null && registering === null && world.registrations < mostRegistrations) {
    add("the node registers", { registering: { result: null } }, { registrations: world.registrations + 1 });
  }
  const registersShort = breakage === "a node whose lease couldn't be raised registers with its own";
  const wanted = node.isLongerWanted && !registersShort ? lease.reader : lease.node;
  if (registering?.result === null) {
    const row: Row = {
      ...{ id: world.registrations, lease: wanted, leavingFor: null, markedLease: wanted, covers: false },
    };
    add("the registration is committed", { registering: { result: { row: row.id } } }, { rows: [...rows, row] });
  }
  if (registering?.result) {
    const { row: id } = registering.result;
    const known = rows.find((row) => row.id === id)?.lease ?? node.lease;
    const acknowledgement = node.hasRevocation ? "owed" : "none";
    // A node that takes the longer lease for granted doesn't ask again.
    const isRaised = registersShort && node.isLongerWanted ? lease.reader : known;
    add("the registration is answered", { registration: id, registering: null, lease: isRaised, acknowledgement });
  }

  if (node.isLongerWanted && registration !== null && node.lease < lease.reader && raising === null) {
    add("the node asks for a longer lease", { raising: { result: null } });
  }
  if (raising?.result === null) {
    const row = rows.find(({ id }) => id === registration);
    const isRaised = row !== undefined && row.leavingFor === null;
    const raised = rows.map((other) => (isRaised && other.id === row.id ? { ...other, lease: lease.reader } : other));
    add("the lease is raised", { raising: { result: { isRaised } } }, { rows: raised });
  }
  if (raising?.result) {
    const { isRaised } = raising.result;
    if (isRaised) add("the raise is answered", { raising: null, lease: lease.reader });
    else add("the raise is refused", { raising: null, registration: null, acknowledgement: "none", read: null });
  }
  return steps;
}

function toReadSteps(world: World, breakage: Breakage | null): Step<World>[] {
  const { steps, add } = createSteps(world);
  const { node } = world;
  const { read, registration } = node;
  if (read === null && registration !== null) {
    add("the node reads the feed", { read: { age: 0, result: null, row: registration, lease: node.lease } });
  }
  if (read?.result === null) {
    const row = world.rows.find(({ id }) => id === read.row);
    const result = { seesRevocation: world.isRevoked, isMember: row !== undefined && row.leavingFor === null };
    add("the read runs", { read: { ...read, result } });
  }
  if (read?.result) add("the answer of the read arrives", toRead(node, read, read.result, breakage));
  return steps;
}

function toRead(
  node: Node,
  read: Read,
  { seesRevocation, isMember }: NonNullable<Read["result"]>,
  breakage: Breakage | null,
): Partial<Node> {
  const hasRevocation = node.hasRevocation || seesRevocation;
  if (!isMember || read.row !== node.registration) {
    return { read: null, hasRevocation, registration: null, registering: null, raising: null, acknowledgement: "none" };
  }
  const isOwed = seesRevocation && node.acknowledgement === "none";
  const countsEarly = breakage === "a frame relies on a read from before the lease was raised";
  return {
    read: null,
    hasRevocation,
    freshFor: Math.min(node.freshFor, read.age),
    acknowledgement: isOwed ? "owed" : node.acknowledgement,
    isGranted: node.isGranted || (node.isLongerWanted && (countsEarly ? node.lease : read.lease) === lease.reader),
  };
}

function toFrameSteps(world: World, breakage: Breakage | null): Step<World>[] {
  const { steps, add } = createSteps(world);
  const { node, reader } = world;
  const isEarly =
    (breakage === "a frame is made before the raised lease is answered" && node.isLongerWanted) ||
    (breakage === "a frame relies on a read from before the lease was raised" && node.lease === lease.reader);
  if ((!node.isGranted && !isEarly) || reader.frames.length >= mostFrames) return steps;
  const [last] = reader.frames.slice(-1);
  // The same frame twice is one frame.
  const isSame = last?.age === node.freshFor && last.hasRevocation === node.hasRevocation;
  if (isSame && (node.hasRevocation || node.reliedOnFor === 0)) return steps;
  const send = (label: string, hasRevocation: boolean, reliedOnFor: number) => {
    const frames = [...reader.frames, { age: node.freshFor, hasRevocation }];
    const next: Reader = { ...reader, frames };
    add(label, { reliedOnFor }, { reader: next });
  };
  send("a frame is made", node.hasRevocation, node.hasRevocation ? node.reliedOnFor : 0);
  if (breakage === "a new reader gets a copy from before the revocation" && node.hasRevocation) {
    send("a frame is made of what was known before", false, 0);
  }
  return steps;
}

function toEndSteps(world: World, breakage: Breakage | null): Step<World>[] {
  const { steps, add } = createSteps(world);
  const { node } = world;
  const { registration } = node;
  const isKnown = doReadersKnow(node) || breakage === "a node acknowledges before its readers have";
  if (node.acknowledgement === "owed" && registration !== null && isKnown) {
    add("the node acknowledges", { acknowledgement: "sent" });
  }
  if (node.acknowledgement === "sent" && registration !== null) {
    const rows = world.rows.map((row) => (row.id === registration ? { ...row, covers: true } : row));
    add("the acknowledgement is committed", { acknowledgement: "done" }, { rows });
  }
  const areOver = node.reliedOnFor > lease.reader;
  const removes = areOver || breakage === "a node that stops removes its row although readers rely on it";
  const left = world.rows.flatMap((row) => {
    if (row.id !== registration || row.leavingFor !== null) return row.id === registration && removes ? [] : [row];
    return removes ? [] : [{ ...row, leavingFor: 0, markedLease: row.lease }];
  });
  const over = { registration: null, registering: null, raising: null, read: null, acknowledgement: "none" } as const;
  add("the node stops", { ...over, freshFor: longest, isStopped: true }, { rows: left });
  return steps;
}
