import { Agent, request } from "node:http";
import { systemClock } from "../../src/core/runtime/clock.ts";
import { defaultSettings } from "../../src/core/settings/settings.ts";
import type { Store } from "../../src/core/store/index.ts";
import { deriveSecrets } from "../../src/crypto/keys/derived-keys.ts";
import { createHmacKey } from "../../src/crypto/keys/hmac-key.ts";
import { createKeySet } from "../../src/crypto/keys/key-set.ts";
import { createTokens } from "../../src/crypto/tokens/tokens.ts";
import { type Auth, createAuth } from "../../src/index.ts";
import { firstSecret, ip, signingKey, toRotation, toSessionId, toUserId, userAgent } from "./crowd.ts";
import type { Refresh } from "./drive.ts";

/** `store.sessions.rotate`: the database's part of a refresh. */
export function refreshByStore(store: Store): Refresh {
  const generations = new Map<number, number>();
  return async (n) => {
    const generation = generations.get(n) ?? 0;
    generations.set(n, generation + 1);
    const rotated = await store.sessions.rotate(toRotation(n, generation));
    if (rotated === null) throw new Error(`session ${n} was not rotated`);
  };
}

/** `auth.refresh`: from a refresh token to the next pair. */
export async function openLibrary(store: Store): Promise<{ readonly refresh: Refresh; readonly auth: Auth }> {
  const auth = createAuth({ store, signingKey });
  await auth.ready();
  const client = { ip, userAgent };
  return { auth, refresh: withTokens(async (token) => (await auth.refresh(token, { client })).refresh) };
}

/** `POST /api/token/refresh/` of the server at `port`, on connections that stay open. */
export function refreshByHttp(port: number): Refresh {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const headers = { "Content-Type": "application/json", "User-Agent": userAgent };
  const options = { agent, port, host: "127.0.0.1", method: "POST", path: "/api/token/refresh/", headers };
  const post = (body: string) =>
    new Promise<{ readonly refresh: string }>((resolve, reject) => {
      const sent = request(options, async (response) => {
        let text = "";
        for await (const chunk of response.setEncoding("utf8")) text += chunk;
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`the server answers ${response.statusCode}: ${text}`));
      });
      sent.on("error", reject).end(body);
    });
  return withTokens(async (refresh) => (await post(JSON.stringify({ refresh }))).refresh);
}

/** Keeps each session's refresh token, whose successor `exchange` gets. */
function withTokens(exchange: (token: string) => Promise<string | undefined>): Refresh {
  const access = createHmacKey({ algorithm: "HS256", secret: signingKey });
  const keys = createKeySet({ access, refresh: deriveSecrets(signingKey).refreshKey("r1") });
  const { mintRefresh } = createTokens({ keys: () => keys, clock: systemClock, settings: defaultSettings });
  const tokens = new Map<number, string>();
  const mint = (n: number) => {
    const issuedAt = systemClock.now();
    const ids = { userId: toUserId(n), sessionId: toSessionId(n), userEpoch: 0 };
    return mintRefresh({ ...ids, issuedAt, expiresAt: issuedAt + 86_400, generation: 0, secret: firstSecret });
  };
  return async (n) => {
    const next = await exchange(tokens.get(n) ?? mint(n));
    if (next === undefined) throw new Error("there is no refresh token");
    tokens.set(n, next);
  };
}
