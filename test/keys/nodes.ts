import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onTestFinished } from "vitest";
import type { AuthOptions } from "../../src/auth-options.ts";
import type { Store } from "../../src/core/store/index.ts";
import { createDeps } from "../../src/create-deps.ts";
import { exportKeyMaterial, generateKeyMaterial } from "../../src/crypto/keys/key-material.ts";
import { createPasswordHasher } from "../../src/crypto/passwords.ts";
import type { AuthEvent } from "../../src/events/events.ts";
import type { KeyDeps } from "../../src/flows/keys/keys.ts";
import { issue } from "../../src/flows/sessions/issue.ts";
import { createUser } from "../../src/flows/users/users.ts";
import { checkHealth } from "../../src/node-health.ts";
import { sqliteStore } from "../../src/store/sqlite/index.ts";
import { createManualTime } from "../support/manual-time.ts";

/** The HMAC signing key of the tests. */
export const hmacKey = "an HMAC signing key for tests, of at least 64 bytes, as HS512 needs it";

/** Two key encryption keys with ids. */
export const kek = `2026:${Buffer.alloc(32, "the first kek of the tests").toString("base64url")}`;
export const otherKek = `2027:${Buffer.alloc(32, "another kek for the tests").toString("base64url")}`;

/** Returns a new private key as PEM. */
export const newPem = (algorithm: "ES256" | "EdDSA" = "ES256"): string =>
  exportKeyMaterial(generateKeyMaterial(algorithm)).toString();

export type NodeOptions = Partial<Omit<AuthOptions, "store">>;

export type TestNode = Awaited<ReturnType<Installation["start"]>>;

export type Installation = ReturnType<typeof openInstallation>;

/** Opens an empty database whose clock, and that of its nodes, only moves when the test moves it. */
export function openInstallation({ isOfVersion01 = false } = {}) {
  const time = createManualTime();
  const folder = mkdtempSync(join(tmpdir(), "tokenpair-keys-"));
  const path = join(folder, "tokenpair.db");
  const open = () => sqliteStore({ path, now: time.clock.now });
  const store = open();
  const stopping: (() => Promise<void>)[] = [];
  let userId = "";
  onTestFinished(async () => {
    for (const stop of stopping) await stop();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function prepare(): Promise<void> {
    if ((await store.migrate()).length === 0) return;
    if (!isOfVersion01) return;
    const database = new DatabaseSync(path);
    database.exec("UPDATE installation SET own_refresh_since = NULL");
    database.close();
  }

  /** Starts a node over a connection of its own. */
  async function start(options: NodeOptions, wrapStore = (own: Store): Store => own) {
    await prepare();
    const own = open();
    const events: AuthEvent[] = [];
    const passwords = createPasswordHasher({ passwordMemoryCost: 64, passwordTimeCost: 1 });
    const parts = createDeps(
      { store: wrapStore(own), confirmRevocations: false, ...options } as Parameters<typeof createDeps>[0],
      (event) => void events.push(event),
      { clock: time.clock, schedule: time.schedule, passwords },
    );
    const { deps, httpDeps, keys } = parts;
    stopping.push(async () => {
      await deps.feed.stop();
      parts.signals.stop();
      await parts.auditQueue.stop();
      await own.close();
    });
    await keys.load();
    await deps.feed.start();
    const { flows } = httpDeps;
    return {
      deps,
      httpDeps,
      keys,
      events,
      flows,
      health: () => checkHealth(deps, parts),
      /** Starts a session of the installation's user. */
      async logIn() {
        userId ||= (await createUser(deps, { username: "alice", password: "correct horse battery staple" })).id;
        return (await issue(deps, userId)).pair;
      },
      accepts: async (access: string) =>
        Promise.resolve()
          .then(() => flows.authenticate(access))
          .then(
            () => true,
            () => false,
          ),
      refresh: async (refresh: string) => (await flows.refresh(refresh)).pair as { access: string; refresh: string },
    };
  }

  return {
    time,
    store,
    path,
    prepare,
    start,
    /** Moves the time on. The nodes poll the revocation feed meanwhile, as they do four times a second. */
    async pass(seconds: number): Promise<void> {
      // The feed's polls of a whole month would take minutes.
      const jump = Math.max(0, seconds - 2);
      if (jump > 0) {
        time.setWallClock(jump);
        await time.advance(0.3);
      }
      await time.advance(seconds - jump);
    },
    /** What the commands about keys work with. */
    commands(): KeyDeps {
      return {
        store,
        settings: { accessTokenLifetime: 1_800, leeway: 0, algorithm: undefined },
        random: (size) => crypto.getRandomValues(new Uint8Array(size)),
        feed: { apply() {} },
        confirm: async () => "acks",
        emit() {},
        record: () => [],
      };
    },
  };
}

/** Returns the header and the claims of a token, without verifying it. */
export function decode(token: string): { header: Record<string, unknown>; payload: Record<string, unknown> } {
  const [header = "", payload = ""] = token.split(".");
  const parse = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
  return { header: parse(header), payload: parse(payload) };
}
