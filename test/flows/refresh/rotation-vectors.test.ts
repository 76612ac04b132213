import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type RotationVectors, toRotationVectors } from "../../../scripts/rotation-vectors.ts";
import type { DecisionVector, SessionRow } from "../../../scripts/vectors/rotation-rows.ts";
import { AuthError } from "../../../src/core/errors.ts";
import { defaultSettings } from "../../../src/core/settings/settings.ts";
import { deriveSecrets } from "../../../src/crypto/keys/derived-keys.ts";
import { createHmacKey } from "../../../src/crypto/keys/hmac-key.ts";
import { createKeySet } from "../../../src/crypto/keys/key-set.ts";
import {
  deriveChangeSecret,
  deriveSecret,
  hashIdempotencyKey,
  hashSecret,
  toRefreshTokenId,
} from "../../../src/crypto/secrets.ts";
import { createTokens } from "../../../src/crypto/tokens/tokens.ts";
import { refresh } from "../../../src/flows/refresh/refresh.ts";
import { toErrorResponse } from "../../../src/http/response/errors.ts";
import { sqliteStore } from "../../../src/store/sqlite/index.ts";
import { createTestAuth, type TestAuth, testStart } from "../../support/auth.ts";
import { eventsOf } from "../flow.ts";

const path = new URL("../../../docs/rotation-vectors.json", import.meta.url);
const vectors: RotationVectors = JSON.parse(readFileSync(path, "utf8"));
const { sid, ...settings } = vectors.settings;
const toBytes = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("docs/rotation-vectors.json", () => {
  it("is what its script writes: npm run vectors", () => {
    expect(JSON.parse(JSON.stringify(toRotationVectors()))).toEqual(vectors);
  });
});

describe("what a rotation derives", () => {
  it.each(vectors.secrets)("is the secret, hash and jti of the vector for generation $generation of $sid", (vector) => {
    const next = deriveSecret(toBytes(vector.secret), vector.sid, vector.generation, toBytes(vector.salt));
    expect(toHex(next)).toBe(vector.next);
    expect(toHex(hashSecret(next))).toBe(vector.hash);
    expect(toRefreshTokenId(next)).toBe(vector.jti);
  });

  it.each(vectors.idempotencyKeys)("is the hash of the idempotency key $key", ({ key, hash }) => {
    expect(toHex(hashIdempotencyKey(key))).toBe(hash);
  });

  it.each(vectors.passwordChanges)("is the secret of a password change, for epoch $epoch", (vector) => {
    expect(toHex(deriveChangeSecret(vector.key, vector.sid, vector.epoch))).toBe(vector.secret);
  });

  it.each(vectors.refreshKeys)("is the key of refresh tokens for $algorithm", ({ secret, algorithm, key }) => {
    const derived = deriveSecrets(secret, algorithm as "HS256").refreshKey("r1");
    const expected = createHmacKey({ algorithm: algorithm as "HS256", secret: toBytes(key), kid: "r1" });
    expect(derived.sign("a text")).toBe(expected.sign("a text"));
  });

  it.each(vectors.tokens)("is the refresh token of generation $claims.gen", ({ secret, claims, token }) => {
    const keys = createKeySet({
      access: createHmacKey({ algorithm: "HS256", secret: "the key of access tokens, 32 bytes", use: "access" }),
      refresh: deriveSecrets(secret).refreshKey("r1"),
    });
    const tokens = createTokens({
      keys: () => keys,
      clock: { ...noClock, now: () => claims.iat },
      settings: defaultSettings,
    });
    const { type, sessionId, tokenId, expiresAt, issuedAt, ...rest } = tokens.verifyRefresh(token);
    expect({ type, sessionId, tokenId, expiresAt, issuedAt }).toEqual({
      type: claims.token_type,
      sessionId: claims.sid,
      tokenId: claims.jti,
      expiresAt: claims.exp,
      issuedAt: claims.iat,
    });
    // The order of the claims in JSON is free.
    const minted = tokens.mintRefresh({ ...rest, sessionId, expiresAt, issuedAt });
    expect(tokens.verifyRefresh(minted)).toEqual(tokens.verifyRefresh(token));
  });
});

const noClock = { now: () => 0, wall: () => 0, monotonic: () => 0 };

describe("a refresh token", () => {
  let folder: string;
  let auth: TestAuth | undefined;
  let database: DatabaseSync;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tokenpair-"));
  });
  afterEach(async () => {
    database.close();
    await auth?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Starts a node over a database that has the row and the user of a vector. */
  async function prepare(vector: DecisionVector): Promise<TestAuth> {
    const { now, globalEpoch, ...changed } = { ...settings, ...vector.settings };
    const file = join(folder, "tokenpair.db");
    const store = sqliteStore({ path: file, now: () => now });
    await store.migrate();
    const started = await createTestAuth({
      settings: changed,
      random: () => toBytes(vector.salt),
      wrapStore: (unused) => {
        void unused.close();
        return store;
      },
    });
    started.clock.advance(now - testStart);
    started.events.length = 0;
    database = new DatabaseSync(file);
    database.prepare("UPDATE installation SET global_epoch = ?").run(globalEpoch);
    const { session, user } = vector;
    if (user !== null) insertUser(user);
    if (session !== null) insertSession(session);
    return started;
  }

  function insertUser({ isActive, epoch, epochReason }: NonNullable<DecisionVector["user"]>): void {
    const insert = `INSERT INTO users (id, username, username_key, is_active, is_staff, epoch, epoch_reason, created_at)
      VALUES ('42', 'bob', 'bob', ?, 0, ?, ?, 0)`;
    database.prepare(insert).run(isActive ? 1 : 0, epoch, epochReason);
  }

  function insertSession(session: SessionRow): void {
    const row: Record<string, string | number | Uint8Array | null> = {
      id: sid,
      created_at: 0,
      last_used_at: 0,
      persistent: 1,
      cleanup_at: session.idleExpiresAt,
      global_epoch: settings.globalEpoch,
    };
    for (const [name, value] of Object.entries(session)) row[toColumn(name)] = toStored(name, value);
    const names = Object.keys(row);
    const sql = `INSERT INTO sessions (${names.join()}) VALUES (${names.map(() => "?").join()})`;
    database.prepare(sql).run(...Object.values(row));
  }

  function readSession(): SessionRow | null {
    const row = database.prepare("SELECT * FROM sessions WHERE id = ?").get(sid);
    if (row === undefined) return null;
    const names = Object.keys(vectors.decisions[0]?.session ?? {});
    const read = (name: string) => {
      const value = row[toColumn(name)] ?? null;
      return value instanceof Uint8Array ? toHex(value) : value;
    };
    return Object.fromEntries(names.map((name) => [name, read(name)])) as unknown as SessionRow;
  }

  it.each(vectors.decisions)("has the result of the vector: step $step, $name", async (vector) => {
    auth = await prepare(vector);
    const { deps } = auth;
    const { presented, idempotencyKey, response } = vector;
    const token = deps.tokens.mintRefresh({
      userId: presented.user_id,
      userEpoch: presented.ue,
      sessionId: sid,
      generation: presented.gen,
      secret: toBytes(presented.secret),
      issuedAt: settings.now - 10,
      expiresAt: settings.now + 10,
    });
    const result = await refresh(deps, token, { idempotencyKey }).catch((error: unknown) => error);

    if (response.status === 401) {
      if (!(result instanceof AuthError)) throw result;
      const answer = toErrorResponse(result, "token", deps.settings);
      expect({
        status: answer.status,
        ...(await answer.json()),
        sessionEnded: answer.headers.get("Session-Ended") === "true",
      }).toEqual(response);
    } else {
      const { pair } = result as Awaited<ReturnType<typeof refresh>>;
      const claimsOf = (text = "") => JSON.parse(Buffer.from(text.split(".")[1] ?? "", "base64url").toString());
      expect(claimsOf(pair.refresh)).toMatchObject({ ...response.refresh, token_type: "refresh", user_id: "42", sid });
      expect(claimsOf(pair.access)).toMatchObject({ ...response.access, token_type: "access", user_id: "42", sid });
    }
    expect(readSession()).toEqual(vector.session === null ? null : { ...vector.session, ...vector.changes });
    const revocations = database.prepare("SELECT kind, key FROM revocations").all();
    expect(revocations).toEqual(vector.step === "3c" ? [{ kind: "session", key: sid }] : []);
    expect(eventsOf(auth, "refresh").map(({ outcome }) => outcome)).toEqual([vector.outcome]);
  });
});

const columns: Readonly<Record<string, string>> = { idempotencyHash: "attempt_hash" };

const toColumn = (name: string) => columns[name] ?? name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const toStored = (name: string, value: string | number | null) =>
  typeof value === "string" && /Hash$|^salt$/.test(name) ? toBytes(value) : value;
