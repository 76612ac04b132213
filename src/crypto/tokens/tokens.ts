import type { AccessClaims, RefreshClaims, TokenType } from "../../core/claims.ts";
import type { Clock } from "../../core/runtime/clock.ts";
import { type Random, systemRandom } from "../../core/runtime/random.ts";
import { SettingError } from "../../core/settings/setting-error.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { parseBase64url } from "../base64url.ts";
import type { KeySet } from "../keys/key-set.ts";
import { toAccessHeader } from "../keys/signing-key.ts";
import { toRefreshTokenId } from "../secrets.ts";
import { type AccessTokens, createAccessTokens } from "./access-tokens.ts";
import { authenticationClaims } from "./authentication-claims.ts";
import { type ClaimAllowances, invalid, readCount, readString } from "./claim-checks.ts";
import { type GenuineToken, toAccessClaims, verifyToken } from "./genuine-tokens.ts";
import { createMinter, type Minter, type MinterSettings, type NewAccessToken, type NewRefreshToken } from "./minter.ts";

/** The settings that the tokens depend on. */
export type TokensSettings = MinterSettings & Pick<Settings, "leeway" | "clockTolerance" | "verifyCacheSize">;

/** Creates and verifies access and refresh tokens. No I/O. */
export interface Tokens extends Pick<Minter, "mintAccess" | "mintRefresh"> {
  /** Returns a random `jti` for an access token. */
  createTokenId(): string;
  /** Returns the minter of the current keys. */
  minter(): Minter;
  /** Verifies an access token, as `AccessTokens.verify` does. */
  readonly verifyAccess: AccessTokens["verify"];
  /**
   * Returns the claims of a genuine refresh token. The `jti` must be derived from its secret.
   *
   * @param options.mayBeExpired whether an expired token is also accepted. Default: false.
   * @throws AuthError with the same codes as `verifyAccess`.
   */
  verifyRefresh(token: string, options?: { readonly mayBeExpired?: boolean }): RefreshClaims;
  /**
   * Returns the claims of a genuine access or refresh token.
   *
   * @param options.mayBeExpired whether an expired token is also accepted. Default: false.
   * @throws AuthError with the same codes as `verifyAccess`.
   */
  verifyAny(token: string, options?: { readonly mayBeExpired?: boolean }): AccessClaims | RefreshClaims;
  /** Forgets all tokens that have been verified. A new key set does the same. */
  forget(): void;
}

/** tokenpair's claims whose names can't be configured. */
const fixedClaims = ["exp", "iat", "nbf", "iss", "aud", "sid", "ue", "ge", "gen", "secret", ...authenticationClaims];

/** The last generation whose successor fits 32 bits. */
const maxGeneration = 0xffff_fffe;

/** The options of `createTokens`. */
export interface TokensOptions {
  /** Returns the current keys. As long as nothing has changed, it must return the same object. */
  readonly keys: () => KeySet;
  readonly clock: Clock;
  readonly settings: TokensSettings;
  readonly random?: Random;
}

/** A key set, and what is derived from it. */
interface Current {
  readonly keys: KeySet;
  readonly minter: Minter;
  /** The header of access tokens, as returned by `toAccessHeader`. */
  readonly accessHeader: string | undefined;
}

/**
 * Creates the functions that create and verify an installation's tokens. Verified access tokens are cached until the key
 * set changes, so that a token of a removed key isn't accepted.
 *
 * @throws SettingError if a configured claim name is also the name of another claim.
 */
export function createTokens({ keys, clock, settings, random = systemRandom }: TokensOptions): Tokens {
  const access = createAccessTokens({ keys, clock, settings });
  const createTokenId = () => Buffer.from(random(16)).toString("hex");
  const minterOptions = { settings, reserved: toReservedClaims(settings), createTokenId };
  let last: Current | undefined;

  function current(): Current {
    const set = keys();
    if (last?.keys === set) return last;
    last = {
      keys: set,
      minter: createMinter(set, minterOptions),
      accessHeader: toAccessHeader(set.access, settings),
    };
    return last;
  }

  /** Returns a genuine token of `type` or, without `type`, of either type. */
  function verify(token: string, { mayBeExpired }: ClaimAllowances = {}, type?: TokenType): GenuineToken {
    const { keys: set, accessHeader } = current();
    return verifyToken(token, { rules: settings, keys: set, accessHeader, now: clock.now(), type, mayBeExpired });
  }

  function toRefreshClaims(token: GenuineToken): RefreshClaims {
    const {
      payload,
      globalEpoch: _,
      authTime: _at,
      amr: _how,
      actor: _who,
      ...claims
    } = toAccessClaims(token, settings);
    const generation = readCount(payload, "gen", maxGeneration);
    const secret = parseBase64url(readString(payload, "secret"));
    if (secret?.length !== 32) throw invalid("secret is not 32 bytes in base64url");
    if (claims.tokenId !== toRefreshTokenId(secret))
      throw invalid(`${settings.jtiClaim} does not belong to the secret`);
    return { ...claims, type: "refresh", generation, secret };
  }

  return Object.freeze({
    createTokenId,
    minter: () => current().minter,
    mintAccess: (token: NewAccessToken) => current().minter.mintAccess(token),
    mintRefresh: (token: NewRefreshToken) => current().minter.mintRefresh(token),
    verifyAccess: access.verify,
    verifyRefresh: (token: string, options?: ClaimAllowances) => toRefreshClaims(verify(token, options, "refresh")),
    verifyAny(token: string, options?: ClaimAllowances): AccessClaims | RefreshClaims {
      const genuine = verify(token, options);
      return genuine.type === "access" ? toAccessClaims(genuine, settings) : toRefreshClaims(genuine);
    },
    forget: access.forget,
  });
}

/** Returns the names of tokenpair's claims. @throws SettingError if two of them are the same. */
function toReservedClaims(settings: TokensSettings): ReadonlySet<string> {
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
