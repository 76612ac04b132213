import type { AccessClaims, ApplicationClaims, RefreshClaims, TokenType } from "../core/claims.ts";
import { AuthError } from "../core/errors.ts";
import type { Clock } from "../core/runtime/clock.ts";
import { type Random, systemRandom } from "../core/runtime/random.ts";
import { SettingError } from "../core/settings/setting-error.ts";
import type { Settings } from "../core/settings/settings.ts";
import { parseBase64url, toBase64url } from "./base64url.ts";
import {
  checkRegisteredClaims,
  invalid,
  type Payload,
  readCount,
  readString,
  readTime,
  requireClaim,
} from "./claim-checks.ts";
import { createClaimsCache } from "./claims-cache.ts";
import { signCompact, verifyCompact } from "./jws.ts";
import { toRefreshTokenId } from "./secrets.ts";
import type { KeySet } from "./signing-key.ts";

/** The settings that shape a token. */
export type TokenSettings = Pick<
  Settings,
  | "audience"
  | "issuer"
  | "leeway"
  | "clockTolerance"
  | "userIdClaim"
  | "tokenTypeClaim"
  | "jtiClaim"
  | "verifyCacheSize"
>;

/** The data of a new token of either kind. Times are whole seconds since the epoch. */
interface NewToken {
  readonly userId: string;
  readonly sessionId: string;
  readonly userEpoch: number;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

interface NewAccessToken extends NewToken {
  /** The `jti`: 32 hexadecimal digits. Default: random ones. */
  readonly tokenId?: string;
  /** The global epoch of the statement that allowed the token. */
  readonly globalEpoch: number;
  readonly claims: ApplicationClaims;
}

interface NewRefreshToken extends NewToken {
  readonly generation: number;
  /** The generation's secret: 32 bytes. */
  readonly secret: Uint8Array;
}

/** Creates and verifies access and refresh tokens. No I/O. */
export interface Tokens {
  /** Returns a random `jti` for an access token. */
  createTokenId(): string;
  /**
   * Creates an access token.
   *
   * @throws TypeError if an application claim has the name of one of tokenpair's claims, or the token would be too long.
   */
  mintAccess(token: NewAccessToken): string;
  /** Creates a refresh token. */
  mintRefresh(token: NewRefreshToken): string;
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
}

/** tokenpair's claims whose names can't be configured. */
const fixedClaims = ["exp", "iat", "nbf", "iss", "aud", "sid", "ue", "ge", "gen", "secret"];

/** The last generation whose successor fits 32 bits. */
const maxGeneration = 0xffff_fffe;

/** What tokens need. */
export interface TokensOptions {
  readonly keys: KeySet;
  readonly clock: Clock;
  readonly settings: TokenSettings;
  readonly random?: Random;
}

/**
 * Creates the tokens of one key set. Verified tokens are cached as long as the returned object exists.
 *
 * @throws TypeError if a configured claim name is also that of another claim.
 */
export function createTokens({ keys, clock, settings, random = systemRandom }: TokensOptions): Tokens {
  const { userIdClaim, tokenTypeClaim, jtiClaim } = settings;
  const cache = createClaimsCache(settings.verifyCacheSize, settings);
  const ourClaims = new Set(fixedClaims);
  for (const [setting, name] of Object.entries({ userIdClaim, tokenTypeClaim, jtiClaim })) {
    if (ourClaims.has(name)) throw new SettingError(setting, `must differ from every other claim, got "${name}".`);
    ourClaims.add(name);
  }

  function toPayload(type: TokenType, tokenId: string, token: NewToken): Payload {
    return {
      [tokenTypeClaim]: type,
      exp: token.expiresAt,
      iat: token.issuedAt,
      [jtiClaim]: tokenId,
      [userIdClaim]: token.userId,
      sid: token.sessionId,
      ue: token.userEpoch,
      // JSON leaves out a claim that is undefined, which means not configured.
      iss: settings.issuer,
      aud: settings.audience,
    };
  }

  /** Returns the payload of a genuine token of `type` or, without `type`, of either type. */
  function verify(token: string, now: number, type?: TokenType, mayBeExpired = false): Payload {
    const payload = verifyCompact(token, keys);
    checkRegisteredClaims(payload, now, settings, mayBeExpired);
    requireClaim(payload, "exp", "token_without_exp");
    requireClaim(payload, jtiClaim, "token_without_id");
    requireClaim(payload, tokenTypeClaim, "token_without_type");
    const presented = readString(payload, tokenTypeClaim);
    if (type === undefined ? presented !== "access" && presented !== "refresh" : presented !== type) {
      throw new AuthError("token_wrong_type", `token is not of the type ${type ?? "access or refresh"}`);
    }
    requireClaim(payload, userIdClaim, "token_without_user");
    return payload;
  }

  function toAccessClaims(payload: Payload): AccessClaims {
    return {
      type: "access",
      userId: readString(payload, userIdClaim),
      sessionId: readString(payload, "sid"),
      userEpoch: readCount(payload, "ue"),
      globalEpoch: payload["ge"] === undefined ? null : readCount(payload, "ge"),
      tokenId: readString(payload, jtiClaim),
      issuedAt: readTime(payload, "iat") ?? 0,
      expiresAt: readCount(payload, "exp"),
      payload,
    };
  }

  function toRefreshClaims(payload: Payload): RefreshClaims {
    const { payload: _, globalEpoch: __, ...claims } = toAccessClaims(payload);
    const generation = readCount(payload, "gen", maxGeneration);
    const secret = parseBase64url(readString(payload, "secret"));
    if (secret?.length !== 32) throw invalid("secret is not 32 bytes in base64url");
    if (claims.tokenId !== toRefreshTokenId(secret)) throw invalid(`${jtiClaim} does not belong to the secret`);
    return { ...claims, type: "refresh", generation, secret };
  }

  const createTokenId = () => Buffer.from(random(16)).toString("hex");

  return Object.freeze({
    createTokenId,
    mintAccess(token: NewAccessToken): string {
      const taken = Object.keys(token.claims).find((name) => ourClaims.has(name));
      if (taken !== undefined) throw new TypeError(`claims: "${taken}" is a claim of tokenpair and cannot be set`);
      const { tokenId = createTokenId() } = token;
      const payload = { ...toPayload("access", tokenId, token), ge: token.globalEpoch };
      return signCompact({ ...payload, ...token.claims }, keys.current);
    },
    mintRefresh(token: NewRefreshToken): string {
      const payload = toPayload("refresh", toRefreshTokenId(token.secret), token);
      return signCompact({ ...payload, gen: token.generation, secret: toBase64url(token.secret) }, keys.current);
    },
    verifyAccess(token: string, now = clock.now()): AccessClaims {
      const known = cache.get(token, now);
      if (known !== undefined) return known;
      const claims = toAccessClaims(verify(token, now, "access"));
      cache.set(token, claims);
      return claims;
    },
    verifyRefresh: (token: string, { mayBeExpired = false } = {}) =>
      toRefreshClaims(verify(token, clock.now(), "refresh", mayBeExpired)),
    verifyAny(token: string, { mayBeExpired = false } = {}): AccessClaims | RefreshClaims {
      const payload = verify(token, clock.now(), undefined, mayBeExpired);
      return payload[tokenTypeClaim] === "access" ? toAccessClaims(payload) : toRefreshClaims(payload);
    },
  });
}
