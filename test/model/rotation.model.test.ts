/**
 * The rotation rule (docs/refresh.md), explored exhaustively. The real flows run over a store in memory, in every
 * order in which two tabs of a browser, a network, a thief, an operator, a clock and crashes can call them. The
 * invariants I1 to I10 are checked at every step and in every state.
 *
 * What keeps the number of states small, and why no state is lost that matters:
 * - The network holds messages until they cannot matter, and may deliver them in any order and more than once. A lost
 *   message is one that is never delivered, so losses, duplicates and reorderings are unlimited.
 * - Every flow is also run with a crash before and after each commit, at any time and any number of times. A crash that
 *   changes nothing on the disk is the same as a lost message.
 * - The UPDATE of step 2 and the locked read of step 3 run back to back. Only a step of the clock between them could
 *   make a difference, and it is explored. Otherwise a token that the UPDATE did not match never matches later, because
 *   generations only rise (I4) and revoked sessions stay revoked (I3).
 * - Randomness is a function of the session's generation, so that equal states are equal.
 * - The clock steps back only in the scenario with expiry, and not to a time before the login: every token here has its
 *   `iat`. A token from the future is refused without a call of the database, and changes nothing (I8).
 * - Without expiry, only the seconds since the last rotation count, up to the first after the reuse interval.
 *
 * What the invariants assume of an honest client. If one of the assumptions is wrong, rule 3c revokes its session:
 * - It stores the idempotency key before it sends, and all its tabs use the same key for the same token. Here the key
 *   is deleted in one step with the arrival of the next token; a browser whose tabs can run between the two is refused.
 * - A flight (a request and its answer) ends before its token is two generations old: it lasts less than two access
 *   token lifetimes, and tabs do not refresh more often than that. A browser drops the answer to a flight that it gave
 *   up.
 */
import { describe, expect, it } from "vitest";
import { hasLongTests } from "../support/long-tests.ts";
import { breakages } from "./breakages.ts";
import { type Exploration, explore } from "./explore.ts";
import { expiring, type Scenario, timeless, withOthers } from "./scenario.ts";

const timeout = 1_200_000;

const scenarios: readonly (readonly [string, Scenario])[] = hasLongTests
  ? [
      ["reuse interval 0", { ...timeless, reuseInterval: 0 }],
      ["reuse interval 1", { ...timeless, reuseInterval: 1 }],
      ["idle and absolute expiry under a clock that steps", expiring],
      ["logouts of the other sessions", withOthers],
    ]
  : [
      ["reuse interval 0, one tab", { ...timeless, reuseInterval: 0, generations: 3, tabs: 1 }],
      ["reuse interval 1, three generations", { ...timeless, reuseInterval: 1, generations: 3 }],
    ];

const count = new Intl.NumberFormat("en");

function print(name: string, { states, transitions, flowRuns, violation }: Exploration): void {
  const violations = violation === null ? "0 violations" : `violates ${violation.invariant}`;
  const numbers = `${count.format(states)} states, ${count.format(transitions)} transitions`;
  console.log(`model: ${name}: ${numbers} over ${count.format(flowRuns)} runs of the real flows, ${violations}`);
}

/** What honest clients and networks must not do, and the end of the shortest way to a logout. The second takes long to find. */
const misbehaviors: readonly (readonly [string, Partial<Scenario>, readonly string[]])[] = [
  [
    "a request is delivered two generations late",
    { flightsEnd: false },
    ["a tab sends 1/1a", "the browser presents 1/1a: rotated", "the browser presents 0/0a: token_revoked"],
  ],
  [
    "its tabs use two idempotency keys for one token",
    { deletesKey: "after the token" },
    [
      "a tab sends 1/0a",
      "a tab deletes the idempotency key 0a",
      "a tab sends 1/1a",
      "the browser presents 1/0a: rotated",
      "2 s pass",
      "the browser presents 1/1a: token_revoked",
    ],
  ],
];

describe("the rotation rule", () => {
  it.each(scenarios)(
    "keeps every invariant in every state of the rotation rule: %s",
    { timeout },
    async (name, scenario) => {
      const exploration = await explore(scenario);
      print(name, exploration);
      expect(exploration.violation).toBeNull();
      expect(exploration.outcomes.has("unavailable")).toBe(scenario.clockStepsBack);
      for (const outcome of [
        "rotated",
        "replayed",
        "reuse_detected",
        "logout",
        "disable",
        "crash",
        "forgery",
        "unknown",
        ...(scenario.isTimeless ? ["contradiction"] : []),
        ...(scenario.logsOutOthers ? ["others", "others elsewhere"] : []),
      ]) {
        expect(exploration.outcomes.get(outcome), outcome).toBeGreaterThan(0);
      }
    },
  );

  it.each(breakages)("finds the rotation rule broken if $name", { timeout }, async ({ name, violates, scenario }) => {
    const exploration = await explore(scenario);
    print(name, exploration);
    expect(exploration.violation?.invariant).toMatch(new RegExp(`^${violates}: `));
  });

  it.each(hasLongTests ? misbehaviors : misbehaviors.slice(0, 1))(
    "revokes an honest client's session if %s",
    { timeout },
    async (_, scenario, steps) => {
      const { violation } = await explore({ ...timeless, ...scenario });
      expect(violation).toEqual({
        invariant: "I6: an honest browser is refused (token_revoked)",
        trace: [
          "the login ends: issued",
          "a tab sends 0/0a",
          "the browser presents 0/0a: rotated",
          "a tab receives the answer to 0/0a: token",
          ...steps,
        ],
      });
    },
  );
});
