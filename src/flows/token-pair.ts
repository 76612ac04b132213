import { longestAmr, maxActorLength, toAmr } from "../core/authentication.ts";
import type { ApplicationClaims, TokenPair } from "../core/claims.ts";
import type { Session } from "../core/session.ts";
import type { AuthUser } from "../core/user.ts";
import type { Minter } from "../crypto/minter.ts";
import type { Deps } from "./deps.ts";
import { callHook } from "./hook.ts";

/** The maximum number of characters that the tokens may have on the way out, for example in a cookie. */
export interface TokenLimits {
  /** Characters of an access token. */
  readonly access: number;
  /** Characters of a refresh token. */
  readonly refresh: number;
}

/** An option of every flow that returns tokens. */
export interface TokenLimitOptions {
  /** Default: the limit of a token alone. */
  readonly tokenLimits?: TokenLimits | undefined;
}

/** What a token pair is minted from. */
export interface PairSource {
  /** The session's row. */
  readonly session: Session;
  /** The secret of the session's current generation. */
  readonly secret: Uint8Array;
  /** The database's time of the transaction that allowed the pair: whole seconds since the epoch. */
  readonly now: number;
  /** The global epoch of that transaction. */
  readonly globalEpoch: number;
  /** The latest `exp` of the access token. Default: it lives as long as the settings and the session allow. */
  readonly accessUntil?: number;
}

/** The tokens that a change will return. Everything that can fail is already done, so minting after the commit can't. */
export interface PreparedTokens {
  /**
   * Mints the pair of the session's current generation. The refresh token depends only on the row and the secret, so a
   * replay gets the same token. No token outlives the session (invariant I5).
   */
  readonly mintPair: (source: PairSource) => TokenPair;
  /** Mints a new access token of the session, without a refresh token. */
  readonly mintAccess: (source: Omit<PairSource, "secret">) => Pick<TokenPair, "access" | "accessExpiresIn">;
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
    const claims = toPlainObject(await hook(user));
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
 * Measures tokens that are at least as long as the real ones.
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
 * Returns what JSON keeps of `claims`: an own `toJSON` could otherwise return other claims when the token is minted.
 */
function toPlainObject(claims: ApplicationClaims): ApplicationClaims {
  const plain: unknown = JSON.parse(JSON.stringify(claims));
  if (typeof plain !== "object" || plain === null || Array.isArray(plain)) throw new TypeError("claims: not an object");
  return plain as ApplicationClaims;
}

/** The contents of a measured token. No real token has longer ones. */
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
