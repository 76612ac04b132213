/**
 * The rotation rule (docs/how-it-works.md), explored exhaustively. The real flows run over a store in memory, in every order in
 * which two tabs of a browser, a network, a thief, an operator, a clock and crashes can call them, and the invariants I1
 * to I10 are checked at every step and in every state.
 *
 * What keeps the states few, and why it loses none that matters:
 * - The network holds messages until they cannot matter, and may deliver them in any order and more than once. A lost
 *   message is one that is never delivered, so losses, duplicates and reorderings are unlimited.
 * - Every flow is also run with a crash before and after each commit, at any time and any number of times. A crash that
 *   changes nothing on the disk is a lost message.
 * - The UPDATE of step 2 and the locked look of step 3 run back to back. Between them lies nothing new but a step of the
 *   clock, which is explored: otherwise a token that the UPDATE did not match never matches later, since generations only
 *   rise (I4) and the dead stay dead (I3).
 * - Randomness is a function of the session's generation, so that equal states are equal.
 * - The clock steps back only where there is expiry, and not to before the login: every token here has its `iat`. What a
 *   clock before `iat` does is decided without a look at the database, and changes nothing (I8).
 * - Without expiry, only the seconds since the last rotation count, up to the first after the reuse interval.
 *
 * What the invariants assume of an honest client; without any of it, rule 3c takes an honest client for a thief:
 * - It stores the attempt id before it sends, and all its tabs use the same id for the same token. Here the id is
 *   forgotten in one step with the arrival of the next token; a browser whose tabs can come between the two is refused.
 * - A flight (a request and its answer) ends before its token is two generations old: it lasts less than two access
 *   token lifetimes, and tabs do not refresh more often than that. A browser drops the answer to a flight it gave up.
 */
import { describe, expect, it } from "vitest";
import { breakages } from "./breakages.ts";
import { type Exploration, explore } from "./explore.ts";
import { expiring, timeless } from "./scenario.ts";

const timeout = 240_000;
const count = new Intl.NumberFormat("en");

function print(name: string, { states, transitions, flowRuns, violation }: Exploration): void {
  const violations = violation === null ? "0 violations" : `violates ${violation.invariant}`;
  const numbers = `${count.format(states)} states, ${count.format(transitions)} transitions`;
  console.log(`model: ${name}: ${numbers} over ${count.format(flowRuns)} runs of the real flows, ${violations}`);
}

describe("the rotation rule", () => {
  it.each([
    ["reuse interval 0", { ...timeless, reuseInterval: 0 }],
    ["reuse interval 1", { ...timeless, reuseInterval: 1 }],
    ["idle and absolute expiry under a clock that steps", expiring],
  ])("keeps every invariant in every state, %s", { timeout }, async (name, scenario) => {
    const exploration = await explore(scenario);
    print(name, exploration);
    expect(exploration.violation).toBeNull();
    expect(exploration.outcomes.has("unavailable")).toBe(scenario.clockStepsBack);
    for (const outcome of ["rotated", "replayed", "theft", "logout", "disable", "crash", "forgery", "stranger"]) {
      expect(exploration.outcomes.get(outcome), outcome).toBeGreaterThan(0);
    }
  });

  it.each(breakages)("is found broken where $name", { timeout }, async ({ name, violates, scenario }) => {
    const exploration = await explore(scenario);
    print(name, exploration);
    expect(exploration.violation?.invariant).toMatch(new RegExp(`^${violates}: `));
  });

  it("takes an honest client for a thief where a request is delivered two generations late", { timeout }, async () => {
    const { violation } = await explore({ ...timeless, flightsEnd: false });
    expect(violation).toEqual({
      invariant: "I6: an honest browser is refused (token_revoked)",
      trace: [
        "the login ends: issued",
        "a tab sends 0/0a",
        "the browser presents 0/0a: rotated",
        "a tab receives the answer to 0/0a: token",
        "a tab sends 1/1a",
        "the browser presents 1/1a: rotated",
        "the browser presents 0/0a: token_revoked",
      ],
    });
  });

  it("takes an honest client for a thief where its tabs use two attempt ids for one token", { timeout }, async () => {
    const { violation } = await explore({ ...timeless, forgetsAttempt: "after the token" });
    expect(violation).toEqual({
      invariant: "I6: an honest browser is refused (token_revoked)",
      trace: [
        "the login ends: issued",
        "a tab sends 0/0a",
        "the browser presents 0/0a: rotated",
        "a tab receives the answer to 0/0a: token",
        "a tab sends 1/0a",
        "a tab forgets the attempt id 0a",
        "a tab sends 1/1a",
        "the browser presents 1/0a: rotated",
        "2 s pass",
        "the browser presents 1/1a: token_revoked",
      ],
    });
  });
});
