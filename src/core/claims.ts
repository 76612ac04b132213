/** `token_type` of the two kinds of token. */
export type TokenType = "access" | "refresh";

/** What an application may put into a token beside ours: any JSON object. */
export type ApplicationClaims = Record<string, unknown>;

/**
 * A verified access token, under names that do not depend on the claim settings. `payload` is the token's own JSON,
 * application claims included. All times are whole seconds since the epoch. Deeply frozen
 * where `verifyCacheSize` is not 0, as requests with one token share it.
 */
export interface AccessClaims<C extends object = ApplicationClaims> {
  readonly type: "access";
  readonly userId: string;
  readonly sessionId: string;
  readonly userEpoch: number;
  readonly tokenId: string;
  /** `iat`; a token of ours always has one, 0 stands for a token without. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly payload: C & Readonly<Record<string, unknown>>;
}

/** A verified refresh token. `secret` is the generation's 32 bytes: never log, store or return it. */
export interface RefreshClaims {
  readonly type: "refresh";
  readonly userId: string;
  readonly sessionId: string;
  readonly userEpoch: number;
  readonly tokenId: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly generation: number;
  readonly secret: Uint8Array;
}

/** An access and a refresh token of one session, with their lifetimes from now in whole seconds. */
export interface TokenPair {
  readonly access: string;
  readonly refresh: string;
  readonly accessExpiresIn: number;
  readonly refreshExpiresIn: number;
}
