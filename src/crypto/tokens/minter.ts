import type { ApplicationClaims, TokenType } from "../../core/claims.ts";
import type { Settings } from "../../core/settings/settings.ts";
import { toBase64url } from "../base64url.ts";
import type { KeySet } from "../keys/key-set.ts";
import { toAccessHeader } from "../keys/signing-key.ts";
import { toRefreshTokenId } from "../secrets.ts";
import { type AuthenticationFacts, toAuthenticationClaims } from "./authentication-claims.ts";
import type { Payload } from "./claim-checks.ts";
import { measureCompact, signCompact } from "./jws.ts";

/** The settings that new tokens depend on. */
export type MinterSettings = Pick<
  Settings,
  "audience" | "issuer" | "userIdClaim" | "tokenTypeClaim" | "jtiClaim" | "accessTokenProfile" | "clientId"
>;

/** The data of a new access or refresh token. Times are whole seconds since the epoch. */
interface NewToken {
  readonly userId: string;
  readonly sessionId: string;
  readonly userEpoch: number;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** The data of a new access token. */
export interface NewAccessToken extends NewToken, Partial<AuthenticationFacts> {
  /** The `jti`: 32 hexadecimal digits. Default: random ones. */
  readonly tokenId?: string;
  /** The global epoch, as read by the statement that allowed the token. */
  readonly globalEpoch: number;
  readonly claims: ApplicationClaims;
}

/** The data of a new refresh token. */
export interface NewRefreshToken extends NewToken {
  readonly generation: number;
  /** The secret of the generation: 32 bytes. */
  readonly secret: Uint8Array;
}

/** Creates tokens with the keys of one point in time. */
export interface Minter {
  /**
   * Creates an access token.
   *
   * @throws TypeError if an application claim has the name of one of tokenpair's claims, or if the token would be too long.
   */
  mintAccess(token: NewAccessToken): string;
  /** Creates a refresh token. */
  mintRefresh(token: NewRefreshToken): string;
  /**
   * Returns the number of characters of the token that `mintAccess` would return, without signing.
   *
   * @throws TypeError for the same reasons as `mintAccess`.
   */
  measureAccess(token: NewAccessToken): number;
  /** Returns the number of characters of the token that `mintRefresh` would return, without signing. */
  measureRefresh(token: NewRefreshToken): number;
}

/** The options of `createMinter`. */
export interface MinterOptions {
  readonly settings: MinterSettings;
  /** The names that the application's claims must not have. */
  readonly reserved: ReadonlySet<string>;
  readonly createTokenId: () => string;
}

/** Creates the minter of a key set. */
export function createMinter(keys: KeySet, { settings, reserved, createTokenId }: MinterOptions): Minter {
  const { userIdClaim, tokenTypeClaim, jtiClaim, issuer, audience, clientId } = settings;
  const isProfiled = settings.accessTokenProfile === "rfc9068";
  const accessHeader = toAccessHeader(keys.access, settings) ?? keys.access.header;

  function toPayload(type: TokenType, tokenId: string, token: NewToken): Payload {
    // A refresh token's own key says who made it. Version 0.1 needs `iss` and `aud` in those of its own key.
    const hasIssuer = type === "access" || keys.refresh.use === "both";
    return {
      [tokenTypeClaim]: type,
      exp: token.expiresAt,
      iat: token.issuedAt,
      [jtiClaim]: tokenId,
      [userIdClaim]: token.userId,
      sid: token.sessionId,
      ue: token.userEpoch,
      // JSON leaves out a claim that is undefined, which means not configured.
      iss: hasIssuer ? issuer : undefined,
      aud: hasIssuer ? audience : undefined,
    };
  }

  function toAccessPayload({ tokenId = createTokenId(), ...token }: NewAccessToken): Payload {
    const taken = Object.keys(token.claims).find((name) => reserved.has(name));
    if (taken !== undefined) throw new TypeError(`claims: "${taken}" is a claim of tokenpair and cannot be set`);
    const profiled = isProfiled ? { sub: token.userId, client_id: clientId } : {};
    const own = { ...toPayload("access", tokenId, token), ge: token.globalEpoch, ...toAuthenticationClaims(token) };
    return { ...own, ...profiled, ...token.claims };
  }

  function toRefreshPayload(token: NewRefreshToken): Payload {
    const payload = toPayload("refresh", toRefreshTokenId(token.secret), token);
    return { ...payload, gen: token.generation, secret: toBase64url(token.secret) };
  }

  return {
    mintAccess: (token) => signCompact(toAccessPayload(token), keys.access, accessHeader),
    mintRefresh: (token) => signCompact(toRefreshPayload(token), keys.refresh),
    measureAccess: (token) => measureCompact(toAccessPayload(token), keys.access, accessHeader),
    measureRefresh: (token) => measureCompact(toRefreshPayload(token), keys.refresh),
  };
}
