import { randomUUID } from "node:crypto";
import { systemClock } from "../../src/core/runtime/clock.ts";
import { defaultSettings } from "../../src/core/settings/settings.ts";
import { createHmacKey } from "../../src/crypto/keys/hmac-key.ts";
import { createKeySet } from "../../src/crypto/keys/key-set.ts";
import { createTokens } from "../../src/crypto/tokens/tokens.ts";
import { type Auth, createAuth } from "../../src/index.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import type { Headers } from "./served.ts";

/** The key of everybody's tokens. */
export const secret = "a secret of this benchmark only, of 48 characters";

/** How many users take turns. */
const users = 200;

/** A ready tokenpair that accepts `bearerRequests`. */
export async function createOurs(settings: { readonly verifyCacheSize?: number } = {}): Promise<Auth> {
  const store = sqliteStore(":memory:");
  await store.migrate();
  const auth = createAuth({ store, signingKey: secret, ...settings });
  await auth.ready();
  return auth;
}

/** Requests of users with tokens of ours, which everybody can verify: a signature by `secret`, and `exp`. */
export function bearerRequests(): readonly Headers[] {
  const keys = createKeySet({ access: createHmacKey({ algorithm: "HS256", secret }) });
  const tokens = createTokens({ keys: () => keys, clock: systemClock, settings: defaultSettings });
  const issuedAt = systemClock.now();
  return Array.from({ length: users }, (_, i) => {
    const session = { userId: `${i + 1}`, sessionId: randomUUID(), userEpoch: 0, globalEpoch: 0 };
    const token = tokens.mintAccess({ ...session, issuedAt, expiresAt: issuedAt + 86_400, claims: {} });
    return { authorization: `Bearer ${token}` };
  });
}
