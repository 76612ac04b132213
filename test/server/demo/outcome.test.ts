import { expect, it } from "vitest";
import { toDuration } from "../../../src/server/demo/lines.ts";
import { type Figures, toOutcome } from "../../../src/server/demo/outcome.ts";

const figures: Figures = {
  copiedAt: 1_000,
  gain: null,
  reuseBy: "attacker",
  reason: "reuse",
  revokedAt: 19_200,
  otherNodeAfter: 11.4,
  reuseInterval: 10,
};

it.each<[string, Partial<Figures>, RegExp, string]>([
  ["an attacker who got nothing", {}, /held a copy for 18\.2 s and got nothing.*refused it 11 ms later/, "good"],
  [
    "an attacker who was first",
    { gain: { at: 9_200, replacedFor: null }, reuseBy: "user" },
    /before you refreshed, and was logged in as you for 10\.0 s\. Your own refresh revealed it/,
    "odd",
  ],
  [
    "an attacker within the grace period",
    { gain: { at: 4_200, replacedFor: 2_100 } },
    /2\.1 s after your refresh and got the same token as you: within 10 s.*for 15\.0 s\. The attacker's next refresh/,
    "odd",
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
])("the outcome of %s is one sentence with the measured figures", (_, change, text, tone) => {
  const outcome = toOutcome({ ...figures, ...change });
  expect(outcome.text).toMatch(text);
  expect(outcome.tone).toBe(tone);
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
