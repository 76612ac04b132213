import { describe, expect, it } from "vitest";
import { toFileNotice, toNotice } from "../../../src/server/sidecar/sentences.ts";
import type { VerifierEvent } from "../../../src/verifier/options.ts";

const events: readonly VerifierEvent[] = [
  { type: "connected" },
  { type: "disconnected", reason: "connection refused" },
  { type: "keys_changed", keys: ["a", "b"] },
  { type: "keys_changed", keys: [] },
  { type: "keys_failed", reason: "the issuer answered 500" },
  { type: "stale", staleness: 10.04 },
  { type: "fresh" },
  { type: "accepted_stale", staleness: 12 },
];

describe("the log of a sidecar", () => {
  it("has a sentence for every event", () => {
    expect(events.map(toNotice)).toEqual([
      ["info", "The revocation feed is connected."],
      ["warn", "The revocation feed can't be read: connection refused. Trying again."],
      ["info", "The issuer's keys were read: a, b."],
      ["error", "The issuer publishes no keys, so no token can be verified. Does it sign with a private key?"],
      ["warn", "The issuer's keys can't be read: the issuer answered 500. Trying again."],
      ["error", "The revocations are 10.0 s old. Requests are answered with 503."],
      ["info", "The revocations are up to date again."],
      ["error", "Tokens were accepted although the revocations are 12.0 s old."],
    ]);
  });

  it("says when the file can't be written, and when it can again", () => {
    expect(toFileNotice("/run/revocations", "ENOSPC")).toEqual([
      "error",
      "The file /run/revocations can't be written (ENOSPC). Its readers will refuse tokens. Trying again.",
    ]);
    expect(toFileNotice("/run/revocations", null)).toEqual(["info", "The file /run/revocations is written again."]);
  });
});
