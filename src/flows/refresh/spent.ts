import type { RefreshClaims } from "../../core/claims.ts";
import type { Session } from "../../core/session.ts";
import type { Decision, SessionSnapshot, Verdict } from "../../core/store/sessions.ts";
import { deriveSecret, hashIdempotencyKey, hashSecret } from "../../crypto/secrets.ts";
import type { EventsOf } from "../../events/events.ts";
import { commit, sessionsRevoked } from "../commit.ts";
import type { Deps } from "../deps.ts";
import type { PreparedTokens } from "../sessions/token-pair.ts";
import { type Refreshed, type RefreshOptions, type RefreshReport, toRefreshEvent, withActorOf } from "./report.ts";
import { type Changed, decideRefresh, type Replay, type SpentResult } from "./rule.ts";

/** What was decided, and about which row. */
interface DecidedSpent {
  readonly spent: SpentResult;
  readonly session: Session | undefined;
}

/** How to decide about a token that is not the session's current one. */
export interface SpentOptions extends RefreshOptions {
  readonly tokens: PreparedTokens;
  /** Whether this is the last attempt. If so, the result `changed` is reported as the result of the refresh. */
  readonly isLastTry: boolean;
}

/**
 * Does step 3 of a refresh. Because no row matched the token, it locks the row, and `decideRefresh` decides.
 *
 * @returns the same successor again, or `changed` if step 2 should be tried again.
 * @throws AuthError if the token is refused. If it was reused, the session has been revoked.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function decideSpent(
  deps: Deps,
  presented: RefreshClaims,
  { tokens, isLastTry, ...options }: SpentOptions,
): Promise<Refreshed | Changed> {
  const { settings, store } = deps;
  const { sessionId, generation, secret } = presented;
  const { reuseInterval, accessTokenLifetime } = settings;
  const { idempotencyKey } = options;
  const presentation = {
    presentedHash: hashSecret(secret),
    idempotencyHash: idempotencyKey === undefined ? null : hashIdempotencyKey(idempotencyKey),
    reuseInterval,
    accessTokenLifetime,
  };
  const decide = (snapshot: SessionSnapshot | null): Verdict<DecidedSpent> => {
    const { result: spent, ...verdict } = decideRefresh(presented, presentation, snapshot);
    return { ...verdict, result: { spent, session: snapshot?.session } };
  };
  const decision = await commit(deps, refreshDecided(deps, presented, { ...options, isLastTry }), (audit) =>
    store.sessions.decide(sessionId, decide, { audit }),
  );
  const { spent } = decision.result;
  if (spent.outcome === "changed") return spent;
  if (spent.outcome !== "replayed") throw spent.error;

  // b  The same successor again, from the salt that made it.
  const sameSuccessor = deriveSecret(secret, sessionId, generation + 1, spent.salt);
  return { outcome: "replayed", session: spent.session, pair: tokens.mintPair({ ...spent, secret: sameSuccessor }) };
}

/**
 * Returns the events of step 3: first the revocation, then the result of the refresh. Returns no events if step 2 is tried
 * again.
 */
function refreshDecided(
  deps: Deps,
  presented: RefreshClaims,
  { isLastTry, ...options }: Omit<SpentOptions, "tokens">,
): EventsOf<Decision<DecidedSpent>> {
  const { userId, sessionId } = presented;
  const nodeTime = deps.clock.now();
  return (decision) => {
    const { spent, session } = decision.result;
    const { outcome, now: time = nodeTime } = spent;
    if (outcome === "changed" && !isLastTry) return [];
    const report = spent.outcome === "replayed" ? { outcome: spent.outcome, time } : toRefusalReport(spent, time);
    const sender = withActorOf(options, session);
    const revoked = sessionsRevoked({ userId, sessionId, reason: "reuse", client: sender.client ?? {} });
    return [...revoked(decision), toRefreshEvent(presented, report, sender)];
  };
}

function toRefusalReport({ outcome, error }: Exclude<SpentResult, Replay>, time: number): RefreshReport {
  return { outcome: outcome === "changed" ? "refused" : outcome, time, reason: error.reason };
}
