/**
 * The confirmation of revocations with a reader: a service without a store, which accepts tokens by the frames that a node sends to
 * it, for longer than the node does itself. Explored in every order, with statements, frames and acknowledgements that are late or
 * lost, a connection that breaks, a node that stops, is marked, removed and registers again, and with a revocation by another
 * process or by the node itself. A relay and its readers are a node and its reader.
 *
 * What the other model has, this one leaves out: failovers, and a first read without a registration. A reader needs no more of
 * these than a node, because its lease is in the same row.
 */
import { describe, expect, it } from "vitest";
import { explore, print } from "../explore.ts";
import { type Breakage, toSteps } from "./steps.ts";
import { firstWorlds, isViolated, type World } from "./world.ts";

/** The longest way that is explored, and that can be: beyond, there are too many states. Every breakage shows itself within it. */
const longestWay = 16;
const mostSteps = Math.min(Number(process.env["TOKENPAIR_MODEL_STEPS"] ?? 11), longestWay);

const exploreWith = (breakage: Breakage | null) =>
  explore<World>({
    first: firstWorlds,
    toSteps: (world) => toSteps(world, breakage),
    isViolated,
    toConfirmation: ({ revoker }) => revoker.confirmed,
    mostSteps,
  });

const timeout = 1_200_000;

/** Each breakage, and the steps of the shortest way to a violation. */
const breakages: readonly (readonly [Breakage, number])[] = [
  ["a node acknowledges before its readers have", 9],
  ["a frame is made before the raised lease is answered", 10],
  ["a frame relies on a read from before the lease was raised", 13],
  ["a reader counts its lease from the delivery of the last byte", 6],
  ["a reader that has disconnected doesn't count", 6],
  ["a silent node is removed after the lease that a look has shown", 8],
  ["a node that revokes doesn't wait for its own readers", 4],
  ["a node that stops removes its row although readers rely on it", 5],
  ["a new reader gets a copy from before the revocation", 12],
  ["a node whose lease couldn't be raised registers with its own", 15],
];

describe("the confirmation of a revocation with a reader", () => {
  it("lets no reader accept a revoked token after it, in every state within so many steps (I13)", { timeout }, () => {
    const exploration = exploreWith(null);
    print("confirmed revocation with a reader", exploration);
    expect(exploration.violation).toBeNull();
    expect([...exploration.confirmations].sort()).toEqual(["acks", "expiry"]);
    expect(exploration.states).toBeGreaterThan(10_000);
  });

  it.each(breakages.filter(([, steps]) => steps <= mostSteps))("is violated if %s", { timeout }, (breakage, steps) => {
    const exploration = exploreWith(breakage);
    print(`confirmed revocation with a reader, ${breakage}`, exploration);
    expect(exploration.violation).toHaveLength(steps);
  });
});
