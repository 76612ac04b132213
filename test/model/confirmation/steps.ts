import type { Step } from "./explore.ts";
import {
  type LookResult,
  lease,
  type Node,
  type ReadResult,
  type Revoker,
  type Row,
  type World,
  wait,
} from "./world.ts";

/** A rule of the protocol that is left out, to show that the model notices. */
export type Breakage =
  | "the first read counts although the registration is not answered yet"
  | "a silent node is removed in one step"
  | "the registry is believed right after a failover"
  | "a node acknowledges before it applies"
  | "an incarnation is dated from the sending of the look that showed it"
  | "a read is dated from its arrival"
  | "a read counts although the node is leaving or absent"
  | "a node removes its row although a read has counted"
  | "a look ignores rows that are leaving"
  | "the wait is one step too short"
  | "a command believes whatever incarnation is settled"
  | "a look from before the commit counts";

/** How often the node may register. A restart is a registration after a long silence. */
const mostRegistrations = 2;

const datedFromSending = "an incarnation is dated from the sending of the look that showed it";

/** Returns every step that is possible in a state. Whatever isn't taken now is late, lost, or stopped. */
export function toSteps(world: World, breakage: Breakage | null): readonly Step<World>[] {
  return [...toNodeSteps(world, breakage), ...toRevokerSteps(world, breakage), ...toWorldSteps(world, breakage)];
}

function toNodeSteps(world: World, breakage: Breakage | null): Step<World>[] {
  const { node } = world;
  const steps: Step<World>[] = [];
  const add = (label: string, changes: Partial<Node>, others: Partial<World> = {}) =>
    steps.push({ label, world: { ...world, ...others, node: { ...node, ...changes } } });
  const { registration, registering, read } = node;

  if (registration === null && registering === null && world.registrations < mostRegistrations) {
    add("the node registers", { registering: { result: null } }, { registrations: world.registrations + 1 });
  }
  if (registering?.result === null) {
    const row: Row = { id: world.registrations, incarnation: world.incarnation, leavingFor: null, covers: false };
    const result = { row: row.id, incarnation: world.incarnation, hasCounted: false };
    add("the registration is committed", { registering: { ...registering, result } }, { rows: [...world.rows, row] });
  }
  if (registering?.result) {
    add("the registration is answered", {
      registration: registering.result,
      registering: null,
      acknowledgement: node.hasRevocation ? "owed" : "none",
    });
  }

  const readsEarly = breakage === "the first read counts although the registration is not answered yet";
  if (read === null && (registration !== null || (readsEarly && registering !== null))) {
    add("the node reads the feed", { read: { age: 0, result: null, row: registration?.row ?? null } });
  }
  if (read?.result === null) add("the read runs", { read: { ...read, result: toReadResult(world, read.row) } });
  if (read?.result) {
    const changes = toRead(node, read.age, read.result, breakage);
    add("the answer of the read arrives", changes);
    const removesAnyway = breakage === "a node removes its row although a read has counted";
    if (changes.registration === null && registration !== null && (!registration.hasCounted || removesAnyway)) {
      const rows = world.rows.filter(({ id }) => id !== registration.row);
      add("the answer of the read arrives, and the node's row is removed", changes, { rows });
    }
  }

  if (node.acknowledgement === "owed" && registration !== null)
    add("the node acknowledges", { acknowledgement: "sent" });
  if (node.acknowledgement === "sent" && registration !== null) {
    const rows = world.rows.map((row) => (row.id === registration.row ? { ...row, covers: true } : row));
    add("the acknowledgement is committed", { acknowledgement: "done" }, { rows });
  }
  if (breakage === "a node acknowledges before it applies" && node.acknowledgement !== "none" && !node.hasRevocation) {
    add("the node applies the revocation", { hasRevocation: true });
  }
  return steps;
}

function toReadResult({ incarnation, isRevoked, rows }: World, rowId: number | null): ReadResult {
  const row = rows.find(({ id, incarnation: own }) => id === rowId && own === incarnation);
  const membership = row === undefined ? "absent" : row.leavingFor === null ? "member" : "leaving";
  return { incarnation, seesRevocation: isRevoked, membership };
}

/** What a node does with an answer: it applies everything, and then decides whether the read counts. */
function toRead(node: Node, age: number, result: ReadResult, breakage: Breakage | null): Partial<Node> {
  const appliesLater = breakage === "a node acknowledges before it applies";
  const hasRevocation = node.hasRevocation || (result.seesRevocation && !appliesLater);
  const isOwed = result.seesRevocation && node.acknowledgement === "none";
  const isEarly = breakage === "the first read counts although the registration is not answered yet";
  const countsAnyway = breakage === "a read counts although the node is leaving or absent";
  const isOwn = result.incarnation === node.registration?.incarnation;
  const counts = (isOwn && result.membership === "member") || (isEarly && node.registration === null) || countsAnyway;
  if (!counts) return { read: null, hasRevocation, registration: null, acknowledgement: "none" };
  const freshFor = breakage === "a read is dated from its arrival" ? 0 : age;
  return {
    read: null,
    hasRevocation,
    registration: node.registration && { ...node.registration, hasCounted: true },
    freshFor: Math.min(freshFor, wait),
    acknowledgement: isOwed ? "owed" : node.acknowledgement,
  };
}

function toRevokerSteps(world: World, breakage: Breakage | null): Step<World>[] {
  const { revoker } = world;
  const steps: Step<World>[] = [];
  const add = (label: string, changes: Partial<Revoker>, others: Partial<World> = {}) =>
    steps.push({ label, world: { ...world, ...others, revoker: { ...revoker, ...changes } } });
  const { committedFor, look, known, knownFor } = revoker;
  if (revoker.confirmed !== null) return steps;

  if (committedFor === null) {
    add("the revocation is committed", { committedFor: 0, commitIncarnation: world.incarnation }, { isRevoked: true });
  }
  if (look === null) {
    const isAfterCommit = committedFor !== null || breakage === "a look from before the commit counts";
    add("the revoker looks", { look: { age: 0, result: null, isAfterCommit, known, knownFor } });
  }
  if (look?.result === null) add("the look runs", { look: { ...look, result: toLookResult(world) } });
  if (look?.result) {
    const { result } = look;
    const datesEarly = breakage === datedFromSending;
    const isNew = result.incarnation !== known;
    const sinceNow = isNew ? { known: result.incarnation, knownFor: datesEarly ? look.age : 0 } : {};
    const confirms = committedFor !== null && look.isAfterCommit && isConfirming(revoker, result, breakage);
    add("the answer of the look arrives", { ...sinceNow, look: null, confirmed: confirms ? "acks" : null });
  }
  if (known === world.incarnation && knownFor >= wait && world.settled !== known) {
    add("the revoker settles the incarnation", {}, { settled: known });
  }
  const longEnough = breakage === "the wait is one step too short" ? wait - 1 : wait;
  if (committedFor !== null && committedFor >= longEnough) add("the leases are over", { confirmed: "expiry" });
  return steps;
}

function toLookResult({ incarnation, settled, rows }: World): LookResult {
  const covers = (row: Row) => row.covers && row.incarnation === incarnation;
  return {
    incarnation,
    settled,
    isCovered: rows.every(covers),
    isCoveredByStaying: rows.filter(({ leavingFor }) => leavingFor === null).every(covers),
  };
}

function isConfirming({ look, commitIncarnation }: Revoker, result: LookResult, breakage: Breakage | null): boolean {
  const { incarnation, settled } = result;
  const isKnown = look?.known === incarnation && look.knownFor > lease;
  const isSettled =
    breakage === "a command believes whatever incarnation is settled" ? settled !== null : settled === incarnation;
  const isBelieved = breakage === "the registry is believed right after a failover" || isKnown || isSettled;
  const isCovered = breakage === "a look ignores rows that are leaving" ? result.isCoveredByStaying : result.isCovered;
  return isBelieved && isCovered && incarnation === commitIncarnation;
}

function toWorldSteps(world: World, breakage: Breakage | null): Step<World>[] {
  const steps: Step<World>[] = [{ label: "time passes", world: toLater(world, breakage) }];
  for (const row of world.rows) {
    const others = world.rows.filter(({ id }) => id !== row.id);
    if (row.leavingFor === null) {
      const marked = world.rows.map((other) => (other.id === row.id ? { ...row, leavingFor: 0 } : other));
      steps.push({ label: `row ${row.id} is marked as leaving`, world: { ...world, rows: marked } });
    }
    const mayGo = breakage === "a silent node is removed in one step" || (row.leavingFor ?? 0) >= wait;
    if (mayGo) steps.push({ label: `row ${row.id} is removed`, world: { ...world, rows: others } });
  }
  if (world.incarnation === 0) {
    const after = toFailover(world);
    steps.push({ label: "a failover that keeps the registry", world: { ...after, rows: world.rows } });
    if (world.rows.length > 0) steps.push({ label: "a failover that loses the registry", world: after });
  }
  return steps;
}

/** The statements of the node that have not run are lost with their connection; those of the revoker may still arrive. */
function toFailover(world: World): World {
  const { node } = world;
  return {
    ...world,
    incarnation: 1,
    rows: [],
    node: {
      ...node,
      registering: node.registering?.result === null ? null : node.registering,
      read: node.read?.result === null ? null : node.read,
      acknowledgement: node.acknowledgement === "sent" ? "owed" : node.acknowledgement,
    },
  };
}

function toLater(world: World, breakage: Breakage | null): World {
  const { node, revoker } = world;
  const older = (age: number) => Math.min(age + 1, wait);
  const olderStatement = <T extends { readonly age: number }>(statement: T | null): T | null =>
    statement === null ? null : { ...statement, age: older(statement.age) };
  return {
    ...world,
    rows: world.rows.map((row) => (row.leavingFor === null ? row : { ...row, leavingFor: older(row.leavingFor) })),
    node: {
      ...node,
      freshFor: older(node.freshFor),
      read: olderStatement(node.read),
    },
    revoker: {
      ...revoker,
      committedFor: revoker.committedFor === null ? null : older(revoker.committedFor),
      knownFor: revoker.known === null ? 0 : older(revoker.knownFor),
      // Nobody else asks how old a look is.
      look: breakage === datedFromSending ? olderStatement(revoker.look) : revoker.look,
    },
  };
}
