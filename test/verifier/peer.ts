import { defaultSettings } from "../../src/core/settings/settings.ts";
import { createHmacKey } from "../../src/crypto/keys/hmac-key.ts";
import { toJwks } from "../../src/crypto/keys/jwks.ts";
import { type KeyMaterial, toSigningKey } from "../../src/crypto/keys/key-material.ts";
import { createKeySet } from "../../src/crypto/keys/key-set.ts";
import type { NewAccessToken } from "../../src/crypto/tokens/minter.ts";
import { createTokens } from "../../src/crypto/tokens/tokens.ts";
import {
  type FeedRecord,
  type FingerprintKind,
  headerLength,
  recordLength,
  toFingerprint,
  writeHeader,
  writeRecord,
} from "../../src/revocation/readers/frame.ts";
import { materials } from "../crypto/keys/sample-keys.ts";
import { type ManualTime, settled } from "../support/manual-time.ts";

export const issuer = "https://id.example";
export const audience = "api";
export const credential = `tps_${"c".repeat(43)}`;

/** A token's session and user. */
export const session = { userId: "42", sessionId: "0198c1a2-0000-7000-8000-000000000001", userEpoch: 3 };

/** What was asked of the peer. */
export interface PeerRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
}

/** One end of a stream or poll that is open. */
interface OpenReader {
  readonly isStream: boolean;
  at: number;
  send(frame: Uint8Array): void;
  close(): void;
}

/**
 * An issuer that speaks the feed's frames and publishes keys, in memory and at a test's own pace. It is the other side of the wire, to
 * be wrong on purpose; how the real one behaves, other tests show.
 */
export function createPeer(time: ManualTime) {
  const refreshKey = createHmacKey({ algorithm: "HS256", secret: "s".repeat(32), kid: "r1", use: "refresh" });
  const records: FeedRecord[] = [];
  const requests: PeerRequest[] = [];
  const readers = new Set<OpenReader>();
  const published: { body: string; version: string } = { ...toJwks([materials.ES256]) };
  const peer = {
    requests,
    /** What answers the requests for keys and for the feed. */
    keys: "up" as "up" | "down" | "silent" | number,
    feed: "up" as "up" | "down" | "silent" | number,
    /** The age that frames say, in milliseconds. */
    age: 0,
    /** By how much the peer's monotonic clock is ahead. */
    ahead: 1_000_000,
    /** The version that frames name, if it isn't that of the published keys. */
    announced: null as string | null,

    publish(...keys: readonly KeyMaterial[]): void {
      Object.assign(published, toJwks(keys));
    },
    publishText(body: string): void {
      published.body = body;
    },
    mint(changes: Partial<NewAccessToken> = {}, key: KeyMaterial = materials.ES256): string {
      const set = createKeySet({ access: toSigningKey(key, { use: "access" }), refresh: refreshKey });
      const tokens = createTokens({
        keys: () => set,
        clock: time.clock,
        settings: { ...defaultSettings, issuer, audience },
      });
      const now = time.clock.now();
      return tokens.mintAccess({
        ...session,
        ...{ issuedAt: now, expiresAt: now + 1_800, globalEpoch: 0, claims: {} },
        ...changes,
      });
    },

    /** Revokes, and sends the records to whoever is connected. */
    async revoke(
      entries: readonly (readonly [FingerprintKind, string, number?])[],
      { awaited = false, until = time.clock.now() + 1_800 } = {},
    ): Promise<void> {
      for (const [kind, id, value = 1] of entries) {
        records.push({ fingerprint: toFingerprint(kind, id), until, value });
      }
      for (const reader of readers) deliver(reader, awaited);
      await settled();
    },
    /** Sends an empty frame to every stream. */
    async beat(): Promise<void> {
      for (const reader of readers) if (reader.isStream) reader.send(toFrame(records.length, { count: [] }));
      await settled();
    },
    /** Sends any bytes to every stream. */
    async send(...chunks: readonly Uint8Array[]): Promise<void> {
      for (const chunk of chunks) {
        for (const reader of readers) reader.send(chunk);
        await settled();
      }
    },
    /** Ends every stream. */
    async hangUp(): Promise<void> {
      for (const reader of [...readers]) reader.close();
      await settled();
    },
    /** Doesn't know the next cursor. */
    restart(): void {
      peer.isNew = true;
    },
    isNew: false,
    /** Whether polls are held while nothing is new. */
    holds: true,
    /** Whether it answers every cursor with all records, as a server does that doesn't know exactly where another one's cursor is. */
    repeats: false,
    /** Whether every first frame says that somebody waits for it. */
    isAwaited: false,
    /** Forgets what was revoked, as a node that is behind doesn't know it yet. */
    forget: () => void records.splice(0),
    /** Whether it answers every request as if it had a cursor. */
    neverFull: false,
    get open() {
      return readers.size;
    },
    toFrame,
    fetch: answer as typeof fetch,
  };

  function toFrame(
    after: number,
    { full = false, awaited = false, held = 0, count = records.slice(after) }: FrameOptions = {},
  ): Uint8Array {
    const sent = full ? toTable(count) : count;
    const bytes = new Uint8Array(headerLength + recordLength * sent.length);
    writeHeader(bytes, {
      isFull: full,
      isAwaited: awaited,
      count: sent.length,
      age: peer.age,
      madeAt: time.clock.monotonic() + peer.ahead,
      keyVersion: Number.parseInt(peer.announced ?? published.version, 16),
      held,
      cursor: records.length.toString(16).padStart(64, "0"),
    });
    const view = new DataView(bytes.buffer);
    for (const [i, record] of sent.entries()) writeRecord(view, headerLength + recordLength * i, record);
    return bytes;
  }

  function deliver(reader: OpenReader, awaited: boolean): void {
    reader.send(toFrame(reader.at, { awaited }));
    reader.at = records.length;
    if (!reader.isStream) reader.close();
  }

  async function answer(input: string, init: RequestInit = {}): Promise<Response> {
    const url = new URL(input);
    const { method = "GET", signal } = init;
    requests.push({ method, path: url.pathname, query: url.searchParams, headers: new Headers(init.headers) });
    const isKeys = url.pathname.endsWith("/.well-known/jwks.json");
    const state = isKeys ? peer.keys : peer.feed;
    if (state === "down") throw Object.assign(new TypeError("fetch failed"), { cause: { code: "ECONNREFUSED" } });
    if (state === "silent") return await new Promise((_, reject) => onAbort(signal, reject));
    if (typeof state === "number") return new Response("no", { status: state });
    if (isKeys) return new Response(published.body);
    if (method === "POST") return new Response(null, { status: 204 });
    return new Response(openBody(url.searchParams, signal));
  }

  function openBody(query: URLSearchParams, signal: AbortSignal | null | undefined): ReadableStream<Uint8Array> {
    const arrivedAt = time.clock.monotonic();
    const cursor = query.get("after");
    const isFull = (cursor === null || peer.isNew) && !peer.neverFull;
    peer.isNew = false;
    const at = isFull || peer.repeats ? 0 : Number.parseInt(cursor ?? "0", 16);
    const isStream = query.get("stream") === "1";
    const wait = Number(query.get("wait") ?? 0);
    return new ReadableStream<Uint8Array>({
      start(controller) {
        const reader: OpenReader = {
          isStream,
          at: records.length,
          send: (frame) => controller.enqueue(frame),
          close() {
            if (readers.delete(reader)) controller.close();
          },
        };
        onAbort(signal, (reason) => {
          if (readers.delete(reader)) controller.error(reason);
        });
        readers.add(reader);
        if (isStream || isFull || wait === 0 || !peer.holds || at < records.length) {
          reader.send(toFrame(at, { full: isFull, awaited: peer.isAwaited }));
          if (!isStream) reader.close();
          return;
        }
        reader.at = at;
        time.schedule(() => {
          if (!readers.has(reader)) return;
          reader.send(toFrame(at, { held: time.clock.monotonic() - arrivedAt }));
          reader.close();
        }, wait * 1_000);
      },
    });
  }

  return peer;
}

interface FrameOptions {
  readonly full?: boolean;
  readonly awaited?: boolean;
  readonly held?: number;
  readonly count?: readonly FeedRecord[];
}

/** One record for each fingerprint, sorted, as a full frame has them. */
function toTable(all: readonly FeedRecord[]): FeedRecord[] {
  const table = new Map<bigint, FeedRecord>();
  for (const record of all) {
    const known = table.get(record.fingerprint);
    if (known === undefined || known.value < record.value) table.set(record.fingerprint, record);
  }
  return [...table.values()].sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
}

function onAbort(signal: AbortSignal | null | undefined, callback: (reason: unknown) => void): void {
  if (signal?.aborted) callback(signal.reason);
  else signal?.addEventListener("abort", () => callback(signal.reason), { once: true });
}

/** A request with a bearer token. */
export const toRequest = (token: string) => ({ headers: { authorization: `Bearer ${token}` }, method: "GET" });
