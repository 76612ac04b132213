import type { Revocation } from "../core/revocation.ts";

/** The most revocations that one read of the feed returns. */
export const feedBatchSize = 10_000;

/** The columns of a row of `revocations` that make a `Revocation`. */
export interface RevocationRow {
  /** What was revoked. */
  readonly kind: Revocation["kind"];
  /** The id of the session, the user or the token. SQL NULL for the kind `all`, which has none. */
  readonly key: string;
  /** The user's new epoch. SQL NULL for the other kinds. */
  readonly epoch: number;
  /** Whole seconds since the epoch. */
  readonly at: number;
}

/** Converts a row of the feed to a revocation. */
export function toRevocation({ kind, key, epoch, at }: RevocationRow): Revocation {
  switch (kind) {
    case "session":
      return { kind, sessionId: key, at };
    case "user":
      return { kind, userId: key, epoch, at };
    case "token":
      return { kind, tokenId: key, at };
    case "all":
      return { kind, at };
  }
}
