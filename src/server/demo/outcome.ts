import type { RevokeReason } from "../../core/session.ts";
import { type Outcome, toDuration, toLifetime } from "./lines.ts";

/** What was measured until the session was revoked. Times are milliseconds on one clock. */
export interface Figures {
  /** When the attacker copied a token; `null`: never. */
  readonly copiedAt: number | null;
  /** When the attacker first got tokens that work, and whether the copy had been replaced by then; `null`: never. */
  readonly gain: { readonly at: number; readonly replacedFor: number | null } | null;
  /** Who presented a spent token, outside of the grace period; `null`: neither. */
  readonly reuseBy: "user" | "attacker" | null;
  readonly reason: RevokeReason | null;
  readonly revokedAt: number;
  /** How long the node that had not revoked the session accepted it. */
  readonly otherNodeAfter: number;
  /** The setting `reuseInterval`, in seconds. */
  readonly reuseInterval: number;
  /** The setting `refreshTokenLifetime`, in seconds. */
  readonly refreshTokenLifetime: number;
}

/** Returns the sentence that says how the session ended. */
export function toOutcome(figures: Figures): Outcome {
  const { copiedAt, gain, reuseBy, revokedAt, otherNodeAfter, reuseInterval, refreshTokenLifetime } = figures;
  const known = toDuration(otherNodeAfter);
  if (reuseBy === null || copiedAt === null) return toEnd(figures, known);
  const elsewhere = toLifetime(refreshTokenLifetime);
  if (gain === null) {
    return {
      tone: "good",
      inside: { here: "0 s", elsewhere },
      text:
        `The attacker held a copy for ${toDuration(revokedAt - copiedAt)} and got nothing: you had refreshed, so the copy was spent. ` +
        `Its first use revoked the session, and the other node refused it ${known} later.`,
    };
  }
  const here = toDuration(revokedAt - gain.at);
  const inside = { here, elsewhere };
  const by = reuseBy === "user" ? "Your own refresh" : "The attacker's next refresh";
  if (gain.replacedFor === null) {
    return {
      tone: "odd",
      inside,
      text:
        `The attacker used the copy before you refreshed, and was logged in as you for ${here}. ${by} revealed it: the ` +
        `session was revoked, and the other node refused the attacker's access token ${known} later.`,
    };
  }
  return {
    tone: "odd",
    inside,
    text:
      `The attacker used the copy ${toDuration(gain.replacedFor)} after your refresh and got the same token as you: within ` +
      `${reuseInterval} s, nothing tells it from a retry. It was logged in as you for ${here}. ${by} revealed it: the ` +
      `session was revoked, and the other node refused the attacker's access token ${known} later.`,
  };
}

function toEnd({ reason }: Figures, known: string): Outcome {
  switch (reason) {
    case "revoked":
      return { tone: "good", text: `Revoked on the other node. This node refused the session ${known} later.` };
    case "user_disabled":
      return {
        tone: "good",
        text: `Disabled on the other node. This node refused the session ${known} later. You are enabled again within 10 s.`,
      };
    case "logout":
      return { tone: "good", text: `You logged out. The other node refused the session ${known} later.` };
    default:
      return { tone: "good", text: `The session was revoked. The other node refused it ${known} later.` };
  }
}
