import type { ApplicationClaims, RefreshClaims } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { Revocation } from "../core/revocation.ts";
import type { Session } from "../core/session.ts";
import type { LockedSession, Verdict } from "../core/store.ts";
import { createSalt, deriveSecret, hashAttempt, hashSecret, isSameHash } from "../crypto/secrets.ts";
import { announce, tellEnding } from "./announce.ts";
import type { Tell } from "./auditor.ts";
import type { Deps } from "./deps.ts";
import {
  type Refreshed,
  type RefreshOptions,
  type Refusal,
  refuse,
  report,
  toRefreshEvent,
  toRowOrigin,
} from "./refresh-report.ts";
import { renew } from "./renew.ts";
import { toDeathOfToken } from "./session-death.ts";
import { mintPair, toApplicationClaims } from "./token-pair.ts";
import { mayHaveTokens } from "./user-source.ts";

/**
 * Exchanges the refresh token of generation n for the pair of generation n + 1, in the steps of docs/how-it-works.md.
 *
 * @throws AuthError a `token_` code or `password_changed`, or `unavailable` with the session unchanged.
 */
export async function refresh(deps: Deps, token: string, options: RefreshOptions = {}): Promise<Refreshed> {
  const { settings, store } = deps;

  // 0  Verify the JWT. Anything wrong: 401, no database access, no state change.
  const presented = verifyPresented(deps, token, options);
  const { sessionId, generation, secret } = presented;
  options.requireSession?.(sessionId);
  const claims = await toClaimsOfUser(deps, presented, options);
  if (!settings.rotateRefreshTokens) return renew(deps, presented, claims, options);

  // 1  Derive the successor from the presented secret and a fresh salt.
  const salt = createSalt(deps.random);
  const successor = deriveSecret(secret, sessionId, generation + 1, salt);
  const presentedHash = hashSecret(secret);
  const attemptHash = options.attemptId === undefined ? null : hashAttempt(options.attemptId);

  // 2  One conditional UPDATE: it matches only the current generation of a live session of an active user.
  const rotated = await store.sessions.rotate({
    sessionId,
    generation,
    presentedHash,
    nextHash: hashSecret(successor),
    salt,
    attemptHash,
    idleLifetime: settings.refreshTokenLifetime,
    ...toRowOrigin(options),
    isAudited: isAudited(settings),
  });
  if (rotated !== null) {
    report(deps, presented, { outcome: "rotated", now: rotated.now }, options);
    const pair = mintPair(deps, { ...rotated, secret: successor, claims });
    return { outcome: "rotated", session: rotated.session, pair };
  }

  // 3  No row: lock it and decide.
  const tell = tellTheft(presented, options);
  const presentation = { presentedHash, attemptHash, reuseInterval: settings.reuseInterval };
  const { result: ruling, revocations } = await store.sessions.decide(sessionId, (locked) => {
    const verdict = judge(presented, presentation, locked);
    const { result } = verdict;
    const isKept = result.outcome === "replayed" && isAudited(settings);
    const replay = isKept ? [toRefreshEvent(presented, { outcome: "replayed", now: result.now }, options)] : [];
    return { ...verdict, audit: deps.audit((revocations) => [...tell(revocations), ...replay]) };
  });
  announce(deps, { revocations }, ({ revocations }) => tell(revocations));
  if (ruling.outcome === "theft") throw ruling.error;
  if (ruling.outcome !== "replayed") return refuse(deps, presented, ruling, options);

  // b  The same successor again, from the salt that made it.
  const { session, now } = ruling;
  report(deps, presented, { outcome: "replayed", now }, options);
  const secretAgain = deriveSecret(secret, sessionId, generation + 1, ruling.salt);
  return { outcome: "replayed", session, pair: mintPair(deps, { session, now, secret: secretAgain, claims }) };
}

/** Whether what is ordinary has entries in the audit log too. */
function isAudited({ auditRetention, auditRotations }: Deps["settings"]): boolean {
  return auditRotations && auditRetention > 0;
}

/** Tells of the end of a session whose spent token returned. */
function tellTheft(presented: RefreshClaims, { origin = {} }: RefreshOptions): Tell<readonly Revocation[]> {
  const { userId, sessionId } = presented;
  const endings = tellEnding({ userId, sessionId, reason: "reuse", origin });
  return (revocations) =>
    endings({ sessions: revocations.length, revocations }).flatMap((event) => [
      event,
      toRefreshEvent(presented, { outcome: "theft", now: event.time, reason: spentTokenReturned }, { origin }),
    ]);
}

/** What step 3 decided about a token that the conditional UPDATE did not match. */
type Ruling =
  | { readonly outcome: "replayed"; readonly session: Session; readonly salt: Uint8Array; readonly now: number }
  | Refusal;

interface Presentation {
  readonly presentedHash: Uint8Array;
  readonly attemptHash: Uint8Array | null;
  readonly reuseInterval: number;
}

const spentTokenReturned = "a spent refresh token returned";

/** Step 3 of the rule, under the lock of the row. Pure. */
function judge(
  presented: RefreshClaims,
  { presentedHash, attemptHash, reuseInterval }: Presentation,
  locked: LockedSession | null,
): Verdict<Ruling> {
  // a  No row, revoked, expired, user gone or inactive, another password since.
  const death = toDeathOfToken(locked, presented);
  if (death !== null) return refused(death, locked?.now);
  const { session, now } = locked as LockedSession;
  const { generation: n } = presented;

  // b  The previous generation, by a known attempt or within the reuse interval: replay; no state moves.
  const isPrevious = session.generation === n + 1 && isSameHash(session.previousHash, presentedHash);
  if (isPrevious && session.salt !== null && session.rotatedAt !== null) {
    const isKnownAttempt = attemptHash !== null && isSameHash(session.attemptHash, attemptHash);
    if (isKnownAttempt || now <= session.rotatedAt + reuseInterval) {
      return { result: { outcome: "replayed", session, salt: session.salt, now } };
    }
  }

  // c  A genuine, spent token: theft. This session ends, and no other.
  if (isPrevious || session.generation >= n + 2) {
    const error = new AuthError("token_revoked", spentTokenReturned, { sessionIsDead: true });
    return { result: { outcome: "theft", error }, revoke: "reuse" };
  }

  // The UPDATE lost to a clock step or a change that is over by now: nothing is proved, the client tries again.
  if (session.generation === n && isSameHash(session.currentHash, presentedHash)) {
    return refused(new AuthError("unavailable", "the session changed during the refresh"), now);
  }

  // d  Genuine, but unknown to the row: the database was restored to an older state. Nothing is revoked.
  const error = new AuthError("token_revoked", "the store has lost this session's newer state");
  return { result: { outcome: "state_lost", error, now } };
}

function refused(error: AuthError, now?: number): Verdict<Ruling> {
  return { result: { outcome: "refused", error, now } };
}

function verifyPresented(deps: Deps, token: string, options: RefreshOptions): RefreshClaims {
  try {
    return deps.tokens.verifyRefresh(token);
  } catch (error) {
    if (error instanceof AuthError) refuse(deps, null, { outcome: "refused", error }, options);
    throw error;
  }
}

/** The application's claims, never stale; looks the user up only where somebody other than the row has a say. */
async function toClaimsOfUser(
  deps: Deps,
  presented: RefreshClaims,
  options: RefreshOptions,
): Promise<ApplicationClaims> {
  const { settings, users } = deps;
  if (users.isOwn && settings.claims === undefined && settings.userAuthenticationRule === undefined) return {};
  const found = await users.find(presented.userId);
  if (found !== null && mayHaveTokens(settings, found.user)) return toApplicationClaims(deps, found.user);
  // The session lives on in its row: the application may change its mind.
  const error = new AuthError("token_user_inactive", "the user is gone or inactive");
  return refuse(deps, presented, { outcome: "refused", error }, options);
}
