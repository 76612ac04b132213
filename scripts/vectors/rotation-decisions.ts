import { hashOf, idempotencyKey, saltOf, secrets } from "./rotation-derivations.ts";
import { refusals, replays, rotations } from "./rotation-results.ts";
import {
  baseSession,
  baseUser,
  type DecisionVector,
  type Expected,
  type Presented,
  settings,
} from "./rotation-rows.ts";

const { now } = settings;
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

/** What differs from the usual case: the token of generation 2 is presented to a session at generation 2. */
interface Case extends Partial<Pick<DecisionVector, "session" | "user" | "settings">> {
  readonly presented?: Partial<Presented>;
  readonly key?: string;
  readonly expected: Expected;
}

function decision(
  name: string,
  { presented = {}, key, session, user, settings: changed, expected }: Case,
): DecisionVector {
  return {
    name,
    ...(changed === undefined ? {} : { settings: changed }),
    presented: { user_id: "42", ue: 3, gen: 2, secret: hex(secrets[2]), ...presented },
    ...(key === undefined ? {} : { idempotencyKey: key }),
    salt: hex(saltOf((presented.gen ?? 2) + 1)),
    session: session === undefined ? baseSession() : session,
    user: user === undefined ? baseUser : user,
    ...expected,
  };
}

const previous = { gen: 1, secret: hex(secrets[1]) };
const older = { gen: 0, secret: hex(secrets[0]) };
const rotatedAgo = (seconds: number) => baseSession({ rotatedAt: now - seconds, accessUntil: now - seconds + 1_800 });
const withKey = (seconds: number) => ({ ...rotatedAgo(seconds), idempotencyHash: hashOf(idempotencyKey) });
const otherKey = "b0m5oRkq2nWl7xAZk3q9VY";
const hour = 3_600;

/** Returns tokens, the rows that they meet, and what the rule decides. */
export function toDecisionVectors(): DecisionVector[] {
  const { rotated } = rotations;
  const { replayed } = replays;
  const { refused, reuse, lost } = refusals;
  const revoked = (revokeReason: string) => baseSession({ revokedAt: now - 60, revokeReason });
  return [
    // Step 2.
    decision("the current token", { expected: rotated() }),
    decision("the current token, with an idempotency key", {
      key: idempotencyKey,
      expected: rotated({ key: idempotencyKey }),
    }),
    decision("the current token without a key, in a session that had one", {
      session: withKey(hour),
      expected: rotated(),
    }),
    decision("the first token of a session", {
      presented: older,
      session: baseSession({
        generation: 0,
        currentHash: hashOf(secrets[0] ?? ""),
        previousHash: null,
        salt: null,
        rotatedAt: null,
      }),
      expected: rotated({ generation: 0 }),
    }),
    decision("the current token in the second of its rotation", {
      session: rotatedAgo(0),
      expected: rotated({}, rotatedAgo(0)),
    }),
    decision("the session's absolute end is near: no token outlives it", {
      session: baseSession({ absoluteExpiresAt: now + 600, idleExpiresAt: now + 600 }),
      expected: rotated({}, baseSession({ absoluteExpiresAt: now + 600 })),
    }),
    decision("the token's ue is lower than the session's, but not than leastEpoch", {
      presented: { ue: 2 },
      session: baseSession({ leastEpoch: 2 }),
      expected: rotated(),
    }),
    decision("the session ends in one second", {
      session: baseSession({ idleExpiresAt: now + 1 }),
      expected: rotated(),
    }),

    // 3a. Refused.
    decision("no such session", { session: null, expected: refused("Token is blacklisted") }),
    decision("logged out", { session: revoked("logout"), expected: refused("Token is blacklisted") }),
    decision("logged out, and the token is spent: nothing is revoked again", {
      presented: older,
      session: revoked("logout"),
      expected: refused("Token is blacklisted"),
    }),
    decision("replaced by another login of the same browser, whose cookies must stay", {
      session: revoked("replaced"),
      expected: refused("Token is blacklisted", { sessionEnded: false }),
    }),
    decision("revoked because of reuse", { session: revoked("reuse"), expected: refused("Token is blacklisted") }),
    decision("revoked by a password change", {
      session: revoked("password_changed"),
      expected: refused("The user's password has been changed.", { code: "password_changed" }),
    }),
    decision("revoked because the user was disabled", {
      session: revoked("user_disabled"),
      expected: refused("No active account found for the given token.", { code: "no_active_account" }),
    }),
    decision("revoked because the user had too many sessions", {
      session: revoked("limit"),
      expected: refused("Token is blacklisted"),
    }),
    decision("revoked for a reason that this version doesn't know", {
      session: revoked("of a later version"),
      expected: refused("Token is blacklisted"),
    }),
    decision("expired this second", {
      session: baseSession({ idleExpiresAt: now }),
      expected: refused("Token is expired"),
    }),
    decision("the user is deleted", {
      user: null,
      expected: refused("No active account found for the given token.", { code: "no_active_account" }),
    }),
    decision("the user is inactive", {
      user: { ...baseUser, isActive: false },
      expected: refused("No active account found for the given token.", { code: "no_active_account" }),
    }),
    decision("the user's epoch is higher, without a reason", {
      user: { ...baseUser, epoch: 4 },
      expected: refused("Token is blacklisted"),
    }),
    decision("the user's epoch is higher, by a password change", {
      user: { ...baseUser, epoch: 4, epochReason: "password_changed" },
      expected: refused("The user's password has been changed.", { code: "password_changed" }),
    }),
    decision("a spent token and a higher epoch of the user: nothing is revoked", {
      presented: older,
      user: { ...baseUser, epoch: 4, epochReason: "logout" },
      expected: refused("Token is blacklisted"),
    }),
    decision("the token names another user", {
      presented: { user_id: "43" },
      expected: refused("Token is invalid", { sessionEnded: false }),
    }),
    decision("the token's ue is higher than the session's", {
      presented: { ue: 4 },
      expected: refused("Token is invalid", { sessionEnded: false }),
    }),
    decision("a spent token whose ue is lower than the session's: older than the password", {
      presented: { ...older, ue: 2 },
      expected: refused("The user's password has been changed.", { code: "password_changed", sessionEnded: false }),
    }),

    // 3b. Replay.
    decision("the previous token, 5 s after the rotation", {
      presented: previous,
      session: rotatedAgo(5),
      expected: replayed(rotatedAgo(5), { accessUntil: now + 1_795 }),
    }),
    decision("the previous token, at the end of the reuse interval", {
      presented: previous,
      session: rotatedAgo(10),
      expected: replayed(rotatedAgo(10), { accessUntil: now + 1_790 }),
    }),
    decision("the previous token, whose ue is lower than the session's, but not than leastEpoch", {
      presented: { ...previous, ue: 2 },
      session: { ...rotatedAgo(5), leastEpoch: 2 },
      expected: replayed(rotatedAgo(5), { accessUntil: now + 1_795 }),
    }),
    decision("the previous token in the same second, without a reuse interval", {
      settings: { reuseInterval: 0 },
      presented: previous,
      session: rotatedAgo(0),
      expected: replayed(rotatedAgo(0), { accessUntil: now + 1_800 }),
    }),
    decision("the previous token before its rotation: the clock was set back", {
      presented: previous,
      session: rotatedAgo(-3),
      expected: replayed(rotatedAgo(-3), { accessUntil: now + 1_800 }),
    }),
    decision("the previous token within the interval, with another idempotency key", {
      presented: previous,
      key: otherKey,
      session: withKey(5),
      expected: replayed(withKey(5), { accessUntil: now + 1_795 }),
    }),
    decision("the previous token an hour later, with the idempotency key of the rotation", {
      presented: previous,
      key: idempotencyKey,
      session: withKey(hour),
      expected: replayed(withKey(hour), { accessUntil: now + 1_800, isNoted: true }),
    }),
    decision("the same when the session is about to end", {
      presented: previous,
      key: idempotencyKey,
      session: { ...withKey(hour), idleExpiresAt: now + 60, absoluteExpiresAt: now + 60 },
      expected: replayed({ ...withKey(hour), idleExpiresAt: now + 60 }, { accessUntil: now + 60, isNoted: true }),
    }),
    decision("the noted end of the access tokens is too near, so the replay's is later", {
      settings: { reuseInterval: 60 },
      presented: previous,
      session: baseSession({ rotatedAt: now - 30, accessUntil: now + 899 }),
      expected: replayed(baseSession({ rotatedAt: now - 30 }), { accessUntil: now + 1_800, isNoted: true }),
    }),
    decision("the noted end of the access tokens leaves half of a lifetime, so it stays", {
      settings: { reuseInterval: 60 },
      presented: previous,
      session: baseSession({ rotatedAt: now - 30, accessUntil: now + 900 }),
      expected: replayed(baseSession({ rotatedAt: now - 30 }), { accessUntil: now + 900 }),
    }),

    // 3c. Reuse detected.
    decision("the previous token, one second after the reuse interval", {
      presented: previous,
      session: rotatedAgo(11),
      expected: reuse,
    }),
    decision("the previous token a second later, without a reuse interval", {
      settings: { reuseInterval: 0 },
      presented: previous,
      session: rotatedAgo(1),
      expected: reuse,
    }),
    decision("the previous token an hour later, with another idempotency key", {
      presented: previous,
      key: otherKey,
      session: withKey(hour),
      expected: reuse,
    }),
    decision("the previous token an hour later, with a key, and the rotation had none", {
      presented: previous,
      key: idempotencyKey,
      session: rotatedAgo(hour),
      expected: reuse,
    }),
    decision("the token before the previous one, within the reuse interval", {
      presented: older,
      session: rotatedAgo(1),
      expected: reuse,
    }),
    decision("the token before the previous one, with the idempotency key of the last rotation", {
      presented: older,
      key: idempotencyKey,
      session: withKey(1),
      expected: reuse,
    }),

    // 3e. State lost.
    decision("the row is at an earlier generation", {
      presented: { gen: 4, secret: hex(secrets[4]) },
      expected: lost,
    }),
    decision("the row is at this generation, with another secret", {
      presented: { secret: hex(secrets[4]) },
      expected: lost,
    }),
    decision("the row is at the next generation, made from another secret", {
      presented: { gen: 1, secret: hex(secrets[4]) },
      expected: lost,
    }),
  ];
}
