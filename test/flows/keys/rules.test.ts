import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KeyChange, KeyRecord, KeyRecords } from "../../../src/core/store/keys.ts";
import {
  decideRetirement,
  decideRotation,
  decideSecretRotation,
  type KeyDecision,
  type NextKey,
  type RetiredKeys,
  type RotatedKeys,
} from "../../../src/flows/keys/rules.ts";
import type { NewRecord } from "../../../src/keys/ring.ts";
import { findEnd, findSigner, isSealed, toAccessRecords, toAccessStates } from "../../../src/keys/states.ts";

const verifyingTime = 1_860;
const client = { actor: "test" };
const start = 1_800_000_000;

const sealed = { sealed: new Uint8Array([1]), kekId: "k" };
const access = (kid: string): NewRecord => ({ kid, use: "access", algorithm: "ES256", publicJwk: "{}", ...sealed });
const secret = (kid: string): NewRecord => ({ kid, use: "secret", algorithm: "HS256", publicJwk: null, ...sealed });

function records(keys: readonly Partial<KeyRecord>[], now = start): KeyRecords {
  const times = { createdAt: start, signsFrom: start, retireAt: null, retiredAt: null };
  return {
    version: 1,
    now,
    ownRefreshSince: start,
    longestAccess: 1_800,
    keys: keys.map(({ kid = "a", use = "access", ...more }) => ({
      ...(use === "access" ? access(kid) : secret(kid)),
      ...times,
      ...more,
    })),
  };
}

/** Applies a change as a store does. */
function apply(before: KeyRecords, { add = [], update = [] }: KeyChange): KeyRecords {
  const updated = before.keys.map((key) => ({ ...key, ...update.find(({ kid }) => kid === key.kid) }));
  return { ...before, version: before.version + 1, keys: [...updated, ...add] };
}

const rules = { isImmediate: false, verifyingTime, makeKey: () => access("new"), client };
const retirement = { ...rules, signsInRing: true };

function done<R>(decision: KeyDecision<R>): Exclude<KeyDecision<R>, { readonly refusal: string }> {
  if ("refusal" in decision) throw new Error(decision.refusal);
  return decision;
}

describe("a rotation", () => {
  it("publishes the next key for six minutes, and lets the current one verify until its tokens have expired", () => {
    const { change, result, events } = done<RotatedKeys>(decideRotation(records([{ kid: "a" }], start + 50), rules));
    expect(change.add).toEqual([
      { ...access("new"), createdAt: start + 50, signsFrom: start + 410, retireAt: null, retiredAt: null },
    ]);
    expect(change.update).toEqual([{ kid: "a", retireAt: start + 410 + verifyingTime }]);
    expect(result.next).toEqual({ kid: "new", algorithm: "ES256", signsFrom: start + 410 });
    expect(events.map(({ type, time }) => [type, time])).toEqual([
      ["key_added", start + 50],
      ["key_retired", start + 50],
    ]);
  });

  it("signs at once if there is no key, or if it is asked to", () => {
    expect(done<RotatedKeys>(decideRotation(records([], start), rules)).result).toEqual({
      next: { kid: "new", algorithm: "ES256", signsFrom: start },
      replaced: null,
    });
    const now = done<RotatedKeys>(decideRotation(records([{}], start + 50), { ...rules, isImmediate: true }));
    expect(now.result.next.signsFrom).toBe(start + 50);
  });

  it("is refused while the next key is published, which signs at once if it is asked to", () => {
    const published = records(
      [
        { kid: "a", retireAt: start + 9_999 },
        { kid: "b", signsFrom: start + 300 },
      ],
      start + 10,
    );
    expect(decideRotation(published, rules)).toEqual({ refusal: expect.stringContaining("the key b is published") });
    const { change } = done<RotatedKeys>(decideRotation(published, { ...rules, isImmediate: true }));
    expect(change).toEqual({
      update: [
        { kid: "b", signsFrom: start + 10 },
        { kid: "a", retireAt: start + 10 + verifyingTime },
      ],
    });
  });
});

describe("a retirement", () => {
  it("is refused for the only key, for an unknown or retired one, for a secret, and for one in a setting", () => {
    const all = records([
      { kid: "a" },
      { kid: "old", retiredAt: start, sealed: null, kekId: null },
      { kid: "fixed", sealed: null, kekId: null, signsFrom: start - 1 },
      { kid: "r1", use: "secret" },
    ]);
    for (const [kid, reason] of [
      ["a", "is the only key"],
      ["x", "no key x"],
      ["old", "is retired already"],
      ["fixed", "is in the setting signingKey"],
      ["r1", "is a secret"],
    ] as const) {
      expect(decideRetirement(all, kid, retirement), kid).toEqual({ refusal: expect.stringContaining(reason) });
    }
  });

  it("lets the next key sign at once, and makes one if there is none", () => {
    const alone = done<RetiredKeys>(
      decideRetirement(records([{}], start + 5), "a", { ...retirement, isImmediate: true }),
    );
    expect(alone.change).toMatchObject({
      add: [{ kid: "new", signsFrom: start + 5 }],
      update: [{ kid: "a", sealed: null, kekId: null, retiredAt: start + 5 }],
    });
    const two = records(
      [
        { kid: "a", retireAt: start + 9_999 },
        { kid: "b", signsFrom: start + 300 },
      ],
      start + 5,
    );
    const { change } = done<RetiredKeys>(decideRetirement(two, "a", { ...retirement, isImmediate: true }));
    expect(change.add).toBeUndefined();
    expect(change.update?.[1]).toEqual({ kid: "b", signsFrom: start + 5 });
  });

  it("of a key that is only published takes it away, and the current key goes on", () => {
    const two = records(
      [
        { kid: "a", retireAt: start + 9_999 },
        { kid: "b", signsFrom: start + 300 },
      ],
      start + 5,
    );
    const { change } = done<RetiredKeys>(decideRetirement(two, "b", retirement));
    expect(change.update).toEqual([
      { kid: "b", sealed: null, kekId: null, retiredAt: start + 5 },
      { kid: "a", retireAt: null },
    ]);
    const after = apply(two, change);
    expect(findEnd(after.keys[0] as KeyRecord, toAccessRecords(after), verifyingTime)).toBeNull();
  });
});

describe("the access keys of any history", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 3_000 }) }),
    fc.record({ kind: fc.constant("rotate" as const), isImmediate: fc.boolean() }),
    fc.record({ kind: fc.constant("retire" as const), isImmediate: fc.boolean(), which: fc.nat(7) }),
  );

  it("have one signer, which keeps verifying until its tokens have expired unless it is retired at once", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let made = 0;
        const makeKey = () => access(`k${made++}`);
        let state = records([]);
        state = apply(state, done<RotatedKeys>(decideRotation(state, { ...rules, makeKey })).change);
        /** The last time at which each key has signed; only of those that were not retired at once. */
        const signed = new Map<string, number>();
        for (const each of steps) {
          if (each.kind === "wait") {
            // It may have signed until the last second before.
            for (const at of [state.now, state.now + each.seconds - 1, state.now + each.seconds]) {
              signed.set(findSigner(toAccessRecords(state), at)?.kid ?? "none", at);
            }
            state = { ...state, now: state.now + each.seconds };
          } else {
            const options = { ...retirement, makeKey, isImmediate: each.isImmediate };
            const kid = state.keys[each.kind === "retire" ? each.which % state.keys.length : 0]?.kid ?? "";
            const decision =
              each.kind === "rotate" ? decideRotation(state, options) : decideRetirement(state, kid, options);
            if ("refusal" in decision) continue;
            if (each.kind === "retire" && each.isImmediate) signed.delete(kid);
            state = apply(state, decision.change);
          }
          const stored = toAccessRecords(state);
          const signer = findSigner(stored, state.now);
          expect(signer, "a key signs").not.toBeNull();
          const states = toAccessStates(stored, { now: state.now, verifyingTime, signsInRing: true });
          expect([...states.values()].filter((value) => value === "signing")).toHaveLength(1);
          for (const [kid, at] of signed) {
            // A token that was signed then may be valid for 1800 s.
            if (state.now > at + 1_800 || kid === signer?.kid) continue;
            expect(states.get(kid), `${kid} has signed ${state.now - at} s ago`).toMatch(/^(?:verifying|published)$/);
          }
          for (const record of stored) if (record.retiredAt !== null) expect(isSealed(record)).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("a rotation of the secret", () => {
  const options = { isImmediate: false, makeSecret: secret, client };

  it("adds r2 beside a secret in a setting, which every node knows a minute before it signs", () => {
    const { change, result, events } = done<NextKey>(decideSecretRotation(records([{}], start + 9), options));
    expect(change).toEqual({ add: [expect.objectContaining({ kid: "r2", use: "secret", signsFrom: start + 69 })] });
    expect(result).toEqual({ kid: "r2", algorithm: "HS256", signsFrom: start + 69 });
    expect(events).toEqual([{ type: "secret_rotated", time: start + 9, kid: "r2", isImmediate: false, client }]);
  });

  it("counts on from the newest secret, and waits until that one signs", () => {
    const three = [
      { kid: "r1", use: "secret" as const },
      { kid: "r2", use: "secret" as const, signsFrom: start + 60 },
    ];
    expect(decideSecretRotation(records(three, start + 5), options)).toEqual({
      refusal: expect.stringContaining("the secret r2 will sign"),
    });
    expect(done<NextKey>(decideSecretRotation(records(three, start + 70), options)).result.kid).toBe("r3");
  });

  it("retires every older secret at once if it is asked to, also the one in a setting", () => {
    const fromSetting = done<NextKey>(decideSecretRotation(records([]), { ...options, isImmediate: true }));
    expect(fromSetting.change.add?.map(({ kid, retiredAt }) => [kid, retiredAt])).toEqual([
      ["r1", start],
      ["r2", null],
    ]);
    const stored = records([
      { kid: "r1", use: "secret" },
      { kid: "r2", use: "secret", signsFrom: start - 5 },
    ]);
    const { change } = done<NextKey>(decideSecretRotation(stored, { ...options, isImmediate: true }));
    expect(change.update?.map(({ kid }) => kid).sort()).toEqual(["r1", "r2"]);
    expect(change.add?.map(({ kid }) => kid)).toEqual(["r3"]);
  });
});
