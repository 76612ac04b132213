import { expect, it } from "vitest";
import { toDuration, toLifetime } from "../../../src/server/demo/lines.ts";
import { type Figures, toOutcome } from "../../../src/server/demo/outcome.ts";

const figures: Figures = {
  copiedAt: 1_000,
  gain: null,
  reuseBy: "attacker",
  reason: "reuse",
  revokedAt: 19_200,
  otherNodeAfter: 11.4,
  reuseInterval: 10,
  refreshTokenLifetime: 30 * 86_400,
};

it.each<[string, Partial<Figures>, RegExp, string, string?]>([
  ["an attacker who got nothing", {}, /held a copy for 18\.2 s and got nothing.*refused it 11 ms later/, "good", "0 s"],
  [
    "an attacker who was first",
    { gain: { at: 9_200, replacedFor: null }, reuseBy: "user" },
    /before you refreshed, and was logged in as you for 10\.0 s\. Your own refresh revealed it/,
    "odd",
    "10.0 s",
  ],
  [
    "an attacker within the grace period",
    { gain: { at: 4_200, replacedFor: 2_100 } },
    /2\.1 s after your refresh and got the same token as you: within 10 s.*for 15\.0 s\. The attacker's next refresh/,
    "odd",
    "15.0 s",
  ],
  [
    "a revocation on the other node",
    { reuseBy: null, reason: "revoked" },
    /Revoked on the other node.*11 ms later/,
    "good",
  ],
  ["a disabled user", { reuseBy: null, reason: "user_disabled" }, /Disabled on the other node/, "good"],
  ["a logout", { reuseBy: null, reason: "logout" }, /You logged out/, "good"],
  ["any other end", { copiedAt: null, reason: null }, /The session was revoked\./, "good"],
])("the outcome of %s is one sentence with the measured figures", (_, change, text, tone, here) => {
  const outcome = toOutcome({ ...figures, ...change });
  expect(outcome.text).toMatch(text);
  expect(outcome.tone).toBe(tone);
  expect(outcome.inside).toEqual(here && { here, elsewhere: "30 days" });
});

it.each([
  [0.04, "0.0 ms"],
  [0.5, "0.5 ms"],
  [12.4, "12 ms"],
  [999.4, "999 ms"],
  [1_250, "1.3 s"],
])("formats %d milliseconds as %s", (milliseconds, text) => {
  expect(toDuration(milliseconds)).toBe(text);
});

it.each([
  [30 * 86_400, "30 days"],
  [86_400, "1 day"],
  [12 * 3_600, "12 h"],
  [3_600, "1 h"],
  [900, "15 min"],
  [5, "1 min"],
])("formats a lifetime of %d seconds as %s", (seconds, text) => {
  expect(toLifetime(seconds)).toBe(text);
});
