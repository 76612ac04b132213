/**
 * The confirmation of revocations (docs/revocation.md), explored in every order: a node, a revoker, a database that may fail
 * over, and somebody who removes silent nodes. Every statement is sent, run and answered in three steps, between which
 * anything else may happen, and every answer may be late by any time, or never arrive. So the node may be slow, stopped, cut off,
 * killed or starting at every point of the protocol.
 *
 * What keeps the number of states small, and why no state is lost that matters:
 * - One node: two nodes don't influence each other, and a confirmation needs both.
 * - One revocation: a second one would only add acknowledgements that don't count for this one.
 * - Ages are counted up to the end of a lease. After that they make no difference.
 * - Both clocks run at the same rate. The real wait is longer than the lease by more than their rates may differ.
 *
 * These are the rules of `src/revocation`, written a second time and as briefly as possible. The tests of that room and the
 * races under test/races check that the code follows them.
 */
import { describe, expect, it } from "vitest";
import { explore, print } from "./explore.ts";
import { type Breakage, toSteps } from "./steps.ts";
import { firstWorld, isViolated, type World } from "./world.ts";

/**
 * The longest way that is explored. There are states beyond, but in them the same few statements are repeated: every breakage
 * shows itself within 17 steps.
 */
const mostSteps = Number(process.env["TOKENPAIR_MODEL_STEPS"] ?? 12);

const exploreWith = (breakage: Breakage | null) =>
  explore<World>({
    first: [firstWorld],
    toSteps: (world) => toSteps(world, breakage),
    isViolated,
    toConfirmation: ({ revoker }) => revoker.confirmed,
    mostSteps,
  });

const timeout = 1_200_000;

/** Each breakage, and the steps of the shortest way to a violation. */
const breakages: readonly (readonly [Breakage, number])[] = [
  ["the first read counts although the registration is not answered yet", 15],
  ["a silent node is removed in one step", 5],
  ["the registry is believed right after a failover", 5],
  ["a node acknowledges before it applies", 7],
  ["an incarnation is dated from the sending of the look that showed it", 13],
  ["a read is dated from its arrival", 7],
  ["a read counts although the node is leaving or absent", 11],
  ["a node removes its row although a read has counted", 8],
  ["a look ignores rows that are leaving", 5],
  ["the wait is one step too short", 3],
  ["a command believes whatever incarnation is settled", 5],
  ["a look from before the commit counts", 17],
];

describe("the confirmation of a revocation", () => {
  it("lets no node accept a revoked token after it, in every state within so many steps (I13)", { timeout }, () => {
    const exploration = exploreWith(null);
    print("confirmed revocation", exploration);
    expect(exploration.violation).toBeNull();
    expect([...exploration.confirmations].sort()).toEqual(["acks", "expiry"]);
    expect(exploration.states).toBeGreaterThan(10_000);
  });

  it.each(breakages.filter(([, steps]) => steps <= mostSteps))("is violated if %s", { timeout }, (breakage, steps) => {
    const exploration = exploreWith(breakage);
    print(`confirmed revocation, ${breakage}`, exploration);
    expect(exploration.violation).toHaveLength(steps);
  });
});
