import type { VerifierEvent } from "../../verifier/options.ts";

/** A line of the log. */
export type Notice = readonly [level: "info" | "warn" | "error", sentence: string];

/** Returns what the log says about an event of the verifier. */
export function toNotice(event: VerifierEvent): Notice {
  switch (event.type) {
    case "connected":
      return ["info", "The revocation feed is connected."];
    case "disconnected":
      return ["warn", `The revocation feed can't be read: ${event.reason}. Trying again.`];
    case "keys_changed":
      return event.keys.length === 0
        ? ["error", "The issuer publishes no keys, so no token can be verified. Does it sign with a private key?"]
        : ["info", `The issuer's keys were read: ${event.keys.join(", ")}.`];
    case "keys_failed":
      return ["warn", `The issuer's keys can't be read: ${event.reason}. Trying again.`];
    case "stale":
      return ["error", `The revocations are ${toSeconds(event.staleness)} old. Requests are answered with 503.`];
    case "fresh":
      return ["info", "The revocations are up to date again."];
    case "accepted_stale":
      return ["error", `Tokens were accepted although the revocations are ${toSeconds(event.staleness)} old.`];
  }
}

/** Returns what the log says about the file. @param failure why it can't be written; `null` if it can again. */
export function toFileNotice(path: string, failure: string | null): Notice {
  return failure === null
    ? ["info", `The file ${path} is written again.`]
    : ["error", `The file ${path} can't be written (${failure}). Its readers will refuse tokens. Trying again.`];
}

const toSeconds = (seconds: number) => `${seconds.toFixed(1)} s`;
