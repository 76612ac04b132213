import type { AccessClaims, RefreshClaims, TokenType } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { Clock } from "../core/runtime/clock.ts";
import { type Random, systemRandom } from "../core/runtime/random.ts";
import type { Algorithm } from "../core/settings/session-settings.ts";
import { SettingError } from "../core/settings/setting-error.ts";
import type { Settings } from "../core/settings/settings.ts";
import { authenticationClaims, readAuthenticationClaims } from "./authentication-claims.ts";
import { parseBase64url } from "./base64url.ts";
import {
  type ClaimAllowances,
  checkRegisteredClaims,
  invalid,
  type Payload,
  readCount,
  readString,
  readTime,
  requireClaim,
} from "./claim-checks.ts";
import { createClaimsCache } from "./claims-cache.ts";
import { verifyCompact } from "./jws.ts";
import { isHmac } from "./keys/algorithms.ts";
import type { KeySet } from "./keys/key-set.ts";
import { allows } from "./keys/signing-key.ts";
import {
  createMinter,
  type Minter,
  type MinterSettings,
  type NewAccessToken,
  type NewRefreshToken,
  toAccessHeader,
} from "./minter.ts";
import { toRefreshTokenId } from "./secrets.ts";

/** The settings of tokens. */
export type TokenSettings = MinterSettings & Pick<Settings, "leeway" | "clockTolerance" | "verifyCacheSize">;

/** Creates and verifies access and refresh tokens. No I/O. */
export interface Tokens extends Pick<Minter, "mintAccess" | "mintRefresh"> {
  /** Returns a random `jti` for an access token. */
  createTokenId(): string;
  /** Returns the minter of the current keys. */
  minter(): Minter;
  /**
   * Returns the claims of a genuine access token that has not expired. With `verifyCacheSize`, the next call with this token
   * gets the same object, so it is deeply frozen.
   *
   * @param now the wall clock in whole seconds, if the caller has read it already.
   * @throws AuthError, in this order: `token_invalid` (form, signature, times, `iss`, `aud`) or `token_expired`,
   * `token_without_exp`, `token_without_id`, `token_without_type`, `token_wrong_type`, `token_without_user`, and
   * `token_invalid` for any other invalid claim.
   */
  verifyAccess(token: string, now?: number): AccessClaims;
  /**
   * Returns the claims of a genuine refresh token. Its `jti` must be that of its secret.
   *
   * @param options.mayBeExpired accepts an expired token too. Default: false.
   * @throws AuthError as `verifyAccess` does.
   */
  verifyRefresh(token: string, options?: { readonly mayBeExpired?: boolean }): RefreshClaims;
  /**
   * Returns the claims of a genuine token of either kind.
   *
   * @param options.mayBeExpired accepts an expired token too. Default: false.
   * @throws AuthError as `verifyAccess` does.
   */
  verifyAny(token: string, options?: { readonly mayBeExpired?: boolean }): AccessClaims | RefreshClaims;
  /** Forgets the tokens that have been verified. Another key set does that too. */
  forget(): void;
}

/** tokenpair's claims whose names can't be configured. */
const fixedClaims = ["exp", "iat", "nbf", "iss", "aud", "sid", "ue", "ge", "gen", "secret", ...authenticationClaims];

/** The largest global epoch that other services can compare: they get it as 32 bits. */
const maxGlobalEpoch = 0xffff_ffff;

/** The last generation whose successor fits 32 bits. */
const maxGeneration = 0xffff_fffe;

/** What tokens need. */
export interface TokensOptions {
  /** Returns the keys of this moment. As long as nothing has changed, it must return the same object. */
  readonly keys: () => KeySet;
  readonly clock: Clock;
  readonly settings: TokenSettings;
  readonly random?: Random;
}

/** A key set, and what derives from it. */
interface Current {
  readonly keys: KeySet;
  readonly minter: Minter;
  /** See `toAccessHeader`. */
  readonly accessHeader: string | undefined;
}

/**
 * Creates the tokens of an installation. Verified access tokens are cached until the key set changes, so that a token of a
 * removed key isn't accepted.
 *
 * @throws SettingError if a configured claim name is also that of another claim.
 */
export function createTokens({ keys, clock, settings, random = systemRandom }: TokensOptions): Tokens {
  const { userIdClaim, tokenTypeClaim, jtiClaim } = settings;
  const cache = createClaimsCache(settings.verifyCacheSize, settings);
  const createTokenId = () => Buffer.from(random(16)).toString("hex");
  const minterOptions = { settings, reserved: toReservedClaims(settings), createTokenId };
  let last: Current | undefined;

  function current(): Current {
    const set = keys();
    if (last?.keys === set) return last;
    cache.clear();
    last = { keys: set, minter: createMinter(set, minterOptions), accessHeader: toAccessHeader(set, settings) };
    return last;
  }

  /** Returns the claims of a genuine token of `type` or, without `type`, of either type. */
  function verify(token: string, now: number, type?: TokenType, { mayBeExpired }: ClaimAllowances = {}): GenuineToken {
    const { keys: set, accessHeader } = current();
    const { payload, key, typ } = verifyCompact(token, set, accessHeader);
    // A refresh token's key says who made it. It need not have `iss` and `aud`, and didn't before they were configured.
    const allowances = { mayBeExpired: mayBeExpired === true, mayLackIssuer: payload[tokenTypeClaim] === "refresh" };
    checkRegisteredClaims(payload, now, settings, allowances);
    requireClaim(payload, "exp", "token_without_exp");
    requireClaim(payload, jtiClaim, "token_without_id");
    requireClaim(payload, tokenTypeClaim, "token_without_type");
    const presented = readString(payload, tokenTypeClaim);
    if (!isTokenType(presented) || (type !== undefined && presented !== type)) {
      throw new AuthError("token_wrong_type", `token is not of the type ${type ?? "access or refresh"}`);
    }
    if (!allows(key.use, presented)) throw invalid(`the key doesn't sign ${presented} tokens`);
    if (typ === "at+jwt" && presented !== "access") throw invalid("typ in the header is that of access tokens");
    requireClaim(payload, userIdClaim, "token_without_user");
    return { payload, type: presented, algorithm: key.algorithm };
  }

  function toAccessClaims(token: GenuineToken): AccessClaims {
    const { payload } = token;
    return {
      type: "access",
      userId: readString(payload, userIdClaim),
      sessionId: readString(payload, "sid"),
      userEpoch: readCount(payload, "ue"),
      globalEpoch: readGlobalEpoch(token),
      tokenId: readString(payload, jtiClaim),
      issuedAt: readTime(payload, "iat") ?? 0,
      expiresAt: readCount(payload, "exp"),
      ...readAuthenticationClaims(payload),
      payload,
    };
  }

  function toRefreshClaims(token: GenuineToken): RefreshClaims {
    const { payload, globalEpoch: _, authTime: _at, amr: _how, actor: _who, ...claims } = toAccessClaims(token);
    const generation = readCount(payload, "gen", maxGeneration);
    const secret = parseBase64url(readString(payload, "secret"));
    if (secret?.length !== 32) throw invalid("secret is not 32 bytes in base64url");
    if (claims.tokenId !== toRefreshTokenId(secret)) throw invalid(`${jtiClaim} does not belong to the secret`);
    return { ...claims, type: "refresh", generation, secret };
  }

  return Object.freeze({
    createTokenId,
    minter: () => current().minter,
    mintAccess: (token: NewAccessToken) => current().minter.mintAccess(token),
    mintRefresh: (token: NewRefreshToken) => current().minter.mintRefresh(token),
    verifyAccess(token: string, now = clock.now()): AccessClaims {
      current();
      const known = cache.get(token, now);
      if (known !== undefined) return known;
      const claims = toAccessClaims(verify(token, now, "access"));
      cache.set(token, claims);
      return claims;
    },
    verifyRefresh: (token: string, options?: ClaimAllowances) =>
      toRefreshClaims(verify(token, clock.now(), "refresh", options)),
    verifyAny(token: string, options?: ClaimAllowances): AccessClaims | RefreshClaims {
      const genuine = verify(token, clock.now(), undefined, options);
      return genuine.type === "access" ? toAccessClaims(genuine) : toRefreshClaims(genuine);
    },
    forget: () => cache.clear(),
  });
}

/** A token whose signature, registered claims and type are right. */
interface GenuineToken {
  readonly payload: Payload;
  readonly type: TokenType;
  readonly algorithm: Algorithm;
}

function isTokenType(text: string): text is TokenType {
  return text === "access" || text === "refresh";
}

/** Reads `ge`. Only tokens of version 0.1 have none, and no public key has signed those. */
function readGlobalEpoch({ payload, algorithm }: GenuineToken): number | null {
  const epoch = payload["ge"] === undefined ? null : readCount(payload, "ge");
  if ((epoch === null || epoch > maxGlobalEpoch) && !isHmac(algorithm)) throw invalid("ge is missing or too large");
  return epoch;
}

/** Returns the names of tokenpair's claims. @throws SettingError if two of them are the same. */
function toReservedClaims(settings: TokenSettings): ReadonlySet<string> {
  const { userIdClaim, tokenTypeClaim, jtiClaim, accessTokenProfile } = settings;
  const isProfiled = accessTokenProfile === "rfc9068";
  const names = new Set(isProfiled ? [...fixedClaims, "client_id"] : fixedClaims);
  for (const [setting, name] of Object.entries({ userIdClaim, tokenTypeClaim, jtiClaim })) {
    if (names.has(name)) throw new SettingError(setting, `must differ from every other claim, got "${name}".`);
    names.add(name);
  }
  // `sub` is the user's id, which `userIdClaim` may also call so; no other claim may.
  if (isProfiled && (tokenTypeClaim === "sub" || jtiClaim === "sub")) {
    throw new SettingError(tokenTypeClaim === "sub" ? "tokenTypeClaim" : "jtiClaim", 'must not be "sub" with rfc9068.');
  }
  return isProfiled ? names.add("sub") : names;
}
