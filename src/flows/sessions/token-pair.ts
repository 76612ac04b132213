import { longestAmr, maxActorLength, toAmr } from "../../core/authentication.ts";
import type { ApplicationClaims, TokenPair } from "../../core/claims.ts";
import type { Session } from "../../core/session.ts";
import type { SessionSnapshot, Verdict } from "../../core/store/sessions.ts";
import type { AuthUser } from "../../core/user.ts";
import type { Minter } from "../../crypto/tokens/minter.ts";
import type { Deps } from "../deps.ts";
import { callHook } from "../hook.ts";

/** The maximum number of characters that returned tokens may have, for example because they are stored in a cookie. */
export interface TokenLimits {
  /** The maximum number of characters of the access token. */
  readonly access: number;
  /** The maximum number of characters of the refresh token. */
  readonly refresh: number;
}

/** An option of every flow that returns tokens. */
export interface TokenLimitOptions {
  /** The maximum length of the tokens. Default: the general limit for tokens. */
  readonly tokenLimits?: TokenLimits | undefined;
}

/** The data from which a token pair is created. */
export interface PairSource {
  /** The session's row. */
  readonly session: Session;
  /** The secret of the session's current generation. */
  readonly secret: Uint8Array;
  /** The database's time in the transaction that allowed the pair, in whole seconds since the epoch. */
  readonly now: number;
  /** The global epoch in that transaction. */
  readonly globalEpoch: number;
  /** The latest `exp` that the access token may have. Default: the latest that the settings and the session allow. */
  readonly accessUntil?: number;
}

/**
 * The tokens that a change will return. Everything that can fail has been done before, so that creating the tokens after
 * the commit can't fail.
 */
export interface PreparedTokens {
  /**
   * Creates the pair of the session's current generation. The refresh token depends only on the row and the secret, so a
   * replay gets the same token. No token is valid longer than the session (invariant I5).
   */
  readonly mintPair: (source: PairSource) => TokenPair;
  /** Creates a new access token of the session, without a refresh token. */
  readonly mintAccess: (source: Omit<PairSource, "secret">) => Pick<TokenPair, "access" | "accessExpiresIn">;
}

/**
 * Decides, while the row is locked, that a repeated request gets the session's current pair again. Pure.
 *
 * @param options.secret the secret of the session's current generation.
 * @param options.accessTokenLifetime in seconds.
 */
export function toReplayVerdict(
  { session, now, globalEpoch }: SessionSnapshot,
  { secret, accessTokenLifetime }: { readonly secret: Uint8Array; readonly accessTokenLifetime: number },
): Verdict<PairSource> {
  const accessUntil = Math.min(now + accessTokenLifetime, session.absoluteExpiresAt);
  const result = { session, now, globalEpoch, secret, accessUntil };
  return accessUntil > (session.accessUntil ?? 0) ? { result, accessUntil } : { result };
}

/**
 * Prepares tokens without claims of the application, for a session whose user need not be read.
 *
 * @throws AuthError `unavailable` if a token would be too long.
 */
export async function prepareOwnTokens(
  deps: Deps,
  userId: string,
  { tokenLimits }: TokenLimitOptions,
): Promise<PreparedTokens> {
  await deps.keys.ready();
  return callHook("minting", async () => prepare(deps, { userId, claims: {}, tokenLimits }));
}

/**
 * Calls the `claims` hook and prepares tokens with its claims. Call it before the change that the tokens belong to.
 *
 * @throws AuthError `unavailable` if the hook fails, if its claims use reserved names, or if they make a token too long.
 */
export async function prepareTokens(
  deps: Deps,
  user: AuthUser,
  { tokenLimits }: TokenLimitOptions,
): Promise<PreparedTokens> {
  const { claims: hook } = deps.settings;
  if (hook === undefined) return prepareOwnTokens(deps, user.id, { tokenLimits });
  await deps.keys.ready();
  return callHook("claims", async () => {
    const claims = toPlainObject(await hook(user), "claims");
    return prepare(deps, { userId: user.id, claims, tokenLimits });
  });
}

interface TokenContents extends TokenLimitOptions {
  readonly userId: string;
  readonly claims: ApplicationClaims;
}

function prepare(deps: Deps, contents: TokenContents): PreparedTokens {
  const { claims } = contents;
  const { settings, tokens } = deps;
  // The keys of this moment sign, whatever becomes of them before the commit: those of another moment may make longer tokens.
  const minter = tokens.minter();
  requireFittingTokens(deps, minter, contents);
  const tokenId = tokens.createTokenId();

  function mintAccess({
    session,
    now,
    globalEpoch,
    accessUntil = Number.POSITIVE_INFINITY,
  }: Omit<PairSource, "secret">): Pick<TokenPair, "access" | "accessExpiresIn"> {
    const { userId, id: sessionId, userEpoch, authenticatedAt: authTime, actor } = session;
    const expiresAt = Math.min(now + settings.accessTokenLifetime, session.absoluteExpiresAt, accessUntil);
    const token = { userId, sessionId, userEpoch, globalEpoch, tokenId, issuedAt: now, expiresAt, claims };
    const access = minter.mintAccess({ ...token, authTime, amr: toAmr(session.amr), actor });
    return { access, accessExpiresIn: expiresAt - now };
  }

  return {
    mintAccess,
    mintPair({ secret, ...source }) {
      const { session, now } = source;
      const { userId, id: sessionId, userEpoch, generation, idleExpiresAt: expiresAt } = session;
      const issuedAt = session.rotatedAt ?? session.createdAt;
      const refresh = minter.mintRefresh({ userId, sessionId, userEpoch, issuedAt, expiresAt, generation, secret });
      return { ...mintAccess(source), refresh, refreshExpiresIn: expiresAt - now };
    },
  };
}

/**
 * Checks the length of the tokens, using tokens that are at least as long as the real ones.
 *
 * @throws TypeError if a claim has a reserved name or a token is too long.
 */
function requireFittingTokens(
  { clock, settings }: Deps,
  minter: Minter,
  { userId, claims, tokenLimits }: TokenContents,
): void {
  if (tokenLimits === undefined && settings.claims === undefined) return;
  const now = clock.now();
  const token = { ...longest, userId, issuedAt: now, expiresAt: now };
  const access = minter.measureAccess({ ...token, claims });
  if (tokenLimits === undefined) return;
  requireLength("access", access, tokenLimits);
  requireLength("refresh", minter.measureRefresh(token), tokenLimits);
}

function requireLength(type: keyof TokenLimits, length: number, limits: TokenLimits): void {
  if (length <= limits[type]) return;
  throw new TypeError(
    `claims: the ${type} token would have ${length} characters, but browsers keep at most ${limits[type]} in its cookie. ` +
      "Return shorter claims.",
  );
}

/**
 * Returns `claims` as JSON would store them. Otherwise, a `toJSON` method could return different claims when the token is
 * created.
 */
export function toPlainObject(claims: object, hook: string): ApplicationClaims {
  const plain: unknown = JSON.parse(JSON.stringify(claims));
  if (typeof plain !== "object" || plain === null || Array.isArray(plain))
    throw new TypeError(`${hook}: not an object`);
  return plain as ApplicationClaims;
}

/** The content of the token that is measured. No real token has longer content. */
const longest = {
  sessionId: "00000000-0000-7000-8000-000000000000",
  userEpoch: Number.MAX_SAFE_INTEGER,
  globalEpoch: Number.MAX_SAFE_INTEGER,
  tokenId: "0".repeat(32),
  authTime: Number.MAX_SAFE_INTEGER,
  amr: longestAmr,
  actor: "x".repeat(maxActorLength),
  generation: 0xffff_ffff,
  secret: new Uint8Array(32),
};
