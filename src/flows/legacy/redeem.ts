import type { RefreshClaims } from "../../core/claims.ts";
import { AuthError } from "../../core/errors.ts";
import type { RedeemedSession, RedeemOutcome } from "../../core/store/legacy.ts";
import type { CreatedSession } from "../../core/store/sessions.ts";
import type { AuthUser } from "../../core/user.ts";
import { isOfPassword, type LegacyClaims } from "../../crypto/legacy/legacy-tokens.ts";
import { createSalt, deriveSecret, hashIdempotencyKey, hashSecret } from "../../crypto/secrets.ts";
import type { EventsOf } from "../../events/events.ts";
import { commit } from "../commit.ts";
import type { Deps } from "../deps.ts";
import { type Refreshed, type RefreshOptions, reportRefusal } from "../refresh/report.ts";
import { decideSpent } from "../refresh/spent.ts";
import { refreshWithoutRotation } from "../refresh/without-rotation.ts";
import { sessionsLimited, toNewSession } from "../sessions/issue.ts";
import { type PreparedTokens, prepareTokens } from "../sessions/token-pair.ts";
import { mayHaveTokens } from "../users/user-source.ts";

type Redemption = Extract<RedeemOutcome, { readonly outcome: "created" | "spent" }>;

/**
 * Redeems a refresh token of simplejwt for a session. This is possible once. The token is treated like a refresh token of
 * generation -1 that has been rotated. If it is presented again, it is treated like any other spent token. See
 * docs/decisions/cut-over.md.
 *
 * @throws AuthError with a code that starts with `token_`, or with the code `password_changed`. `unavailable`, with nothing
 * changed.
 * @throws StoreUnavailableError if the store can't answer.
 */
export async function redeemLegacyToken(
  deps: Deps,
  presented: LegacyClaims,
  options: RefreshOptions,
): Promise<Refreshed> {
  const { user, tokens } = await prepareTokensOfUser(deps, presented, options);
  const session = toSession(deps, presented, options);
  const redemption = await redeemOrFind(deps, presented, { session, options });
  if (redemption.outcome === "spent") {
    const { sessionId } = redemption;
    if (sessionId === null) throw refuse(deps, presented, { ...options, reason: "the token was revoked" });
    const spent = { ...toPredecessor(presented), sessionId };
    return { ...(await repeatRedemption(deps, spent, { ...options, tokens })), user };
  }
  const secret = deriveSecret(presented.secret, session.id, 0, session.salt);
  return { outcome: "redeemed", session: redemption.session, pair: tokens.mintPair({ ...redemption, secret }), user };
}

/**
 * Prepares the tokens. Everything that can fail is done before the token is spent: the user, the claims, and the lengths of
 * the tokens.
 */
async function prepareTokensOfUser(
  deps: Deps,
  presented: LegacyClaims,
  options: RefreshOptions,
): Promise<{ readonly user: AuthUser; readonly tokens: PreparedTokens }> {
  const { users, settings } = deps;
  const found = await users.find(presented.userId);
  if (found === null || !mayHaveTokens(settings, found.user)) {
    throw refuse(deps, presented, { ...options, reason: "the user is gone or inactive", code: "token_user_inactive" });
  }
  if (await isOlderThanPassword(deps, presented)) {
    throw refuse(deps, presented, {
      ...options,
      reason: "the token is older than the password",
      code: "password_changed",
    });
  }
  return { user: found.user, tokens: await prepareTokens(deps, found.user, {}) };
}

/**
 * Returns whether the token is older than the user's password. This isn't checked for a token that was already redeemed,
 * because a login may have replaced the hash of the same password since.
 */
async function isOlderThanPassword({ users, store }: Deps, presented: LegacyClaims): Promise<boolean> {
  const { passwordMark, userId, tokenId } = presented;
  if (passwordMark === null) return false;
  const row = users.isOwn ? await store.users.findById(userId) : null;
  return !isOfPassword(presented, row?.passwordHash ?? null) && (await store.legacy.find(tokenId)) === null;
}

/** Returns the session to insert. Its secret is derived from the token and a new salt. */
function toSession(
  deps: Deps,
  { userId, secret }: LegacyClaims,
  { idempotencyKey, client = {} }: RefreshOptions,
): RedeemedSession {
  const base = toNewSession(deps, userId, client);
  const salt = createSalt(deps.random);
  return {
    ...base,
    // simplejwt's tokens have no epoch. Whatever has raised the user's epoch here has revoked them.
    userEpoch: 0,
    persistent: true,
    // Nothing says when the user logged in there.
    authenticatedAt: 0,
    currentHash: hashSecret(deriveSecret(secret, base.id, 0, salt)),
    previousHash: hashSecret(secret),
    salt,
    idempotencyHash: idempotencyKey === undefined ? null : hashIdempotencyKey(idempotencyKey),
  };
}

/**
 * Spends the token. If it was already spent, finds what it was spent for.
 *
 * @throws AuthError if the user's tokens were revoked.
 */
async function redeemOrFind(
  deps: Deps,
  presented: LegacyClaims,
  { session, options }: { readonly session: RedeemedSession; readonly options: RefreshOptions },
): Promise<Redemption> {
  const { store, users } = deps;
  const { tokenId, issuedAt, expiresAt } = presented;
  const token = { tokenId, issuedAt, expiresAt, needsImport: users.isOwn };
  let other: Exclude<RedeemOutcome, CreatedSession> | undefined;
  const created = await commit(deps, sessionRedeemed(session, options), async (audit) => {
    const outcome = await store.legacy.redeem(session, token, audit);
    if (outcome.outcome === "created") return outcome;
    other = outcome;
    return null;
  });
  if (created !== null) return created;
  if (other?.outcome === "spent") return other;
  const reason = `the token was not redeemed: ${other?.reason}`;
  throw refuse(deps, presented, { ...options, reason, code: codeOf[other?.reason ?? ""] });
}

const codeOf: Readonly<Record<string, "token_user_inactive" | undefined>> = {
  user_gone: "token_user_inactive",
  user_inactive: "token_user_inactive",
  not_imported: "token_user_inactive",
};

/** Returns the events of a redemption: the sessions beyond the limit, and the refresh. */
function sessionRedeemed(
  { id: sessionId, userId }: RedeemedSession,
  { client = {} }: RefreshOptions,
): EventsOf<CreatedSession> {
  return ({ now: time, limited }) => {
    const subject = { time, userId, client };
    return [...sessionsLimited(limited, subject), { type: "refresh", outcome: "redeemed", ...subject, sessionId }];
  };
}

/** Returns the refresh token that the presented token is treated like: one of the generation before the first. */
function toPredecessor({
  userId,
  tokenId,
  issuedAt,
  expiresAt,
  secret,
}: LegacyClaims): Omit<RefreshClaims, "sessionId"> {
  return { type: "refresh", userId, userEpoch: 0, tokenId, issuedAt, expiresAt, generation: -1, secret };
}

/**
 * Answers a token that was already redeemed. With rotation, it is treated like any other spent token. Without rotation, it
 * stays valid like the first refresh token of its session.
 */
async function repeatRedemption(
  deps: Deps,
  presented: RefreshClaims,
  options: RefreshOptions & { readonly tokens: PreparedTokens },
): Promise<Refreshed> {
  const { settings, store } = deps;
  if (settings.rotateRefreshTokens !== true) {
    const salt = (await store.sessions.find(presented.sessionId))?.session.salt ?? new Uint8Array();
    const first = { ...presented, generation: 0, secret: deriveSecret(presented.secret, presented.sessionId, 0, salt) };
    return refreshWithoutRotation(deps, first, { ...options, returnsRefreshToken: true });
  }
  const decided = await decideSpent(deps, presented, { ...options, isLastTry: true });
  if (decided.outcome === "changed") throw decided.error;
  return decided;
}

interface RefusalOptions extends RefreshOptions {
  readonly reason: string;
  /** Default: `token_revoked`. */
  readonly code?: "token_revoked" | "token_user_inactive" | "password_changed" | undefined;
}

/**
 * Emits the event that a genuine token was refused.
 *
 * @returns the error to throw.
 */
function refuse(
  deps: Deps,
  { userId }: LegacyClaims,
  { reason, code = "token_revoked", ...options }: RefusalOptions,
): AuthError {
  const error = new AuthError(code, reason, { sessionEnded: true });
  reportRefusal(deps, { userId }, error, options);
  return error;
}
