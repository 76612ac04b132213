import { randomBytes } from "node:crypto";
import type { Settings } from "../../src/core/settings/settings.ts";
import { createKeks } from "../../src/crypto/keys/key-encryption.ts";
import { type KeyDeps, retireKey } from "../../src/flows/keys/keys.ts";
import { headerLength, recordLength } from "../../src/revocation/readers/frame.ts";
import { type Nodes, openNodes } from "../support/nodes.ts";
import type { PostgresServer } from "../support/postgres.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { addService } from "../support/services.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import type { Pair } from "../support/wire.ts";
import { audience, issuer } from "./services.ts";

/** A server of the issuer, and its connection to the database. */
export interface Issuer {
  server: ServerProcess;
  readonly databaseWire: TcpProxy;
  /** Starts it again on its port after it was killed. */
  restart(): Promise<void>;
}

/** An issuer of several servers over one PostgreSQL, which sign with a key of the key ring. */
export interface Issuers {
  readonly nodes: Nodes;
  readonly postgres: PostgresServer;
  readonly servers: readonly Issuer[];
  /** A credential for the feed. */
  readonly credential: string;
  readonly userId: string;
  /** Logs the user in, by the test's own node. */
  logIn(): Promise<Pair>;
  /** Retires the key that has signed a token at once. @returns when that was committed, on the monotonic clock. */
  retireKeyOf(pair: Pair): Promise<number>;
  close(): Promise<void>;
}

/** Revokes thousands of tokens, so that frames with everything differ from others by their length. @returns that length. */
export async function fillFeed({ nodes: { store } }: Pick<Issuers, "nodes">): Promise<number> {
  for (let n = 0; n < fillers; n += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, i) => store.feed.revokeToken(`filler ${n + i}`)));
  }
  return headerLength + fillers * recordLength;
}

const fillers = 3_000;

/** What differs from one issuer to another. */
export interface IssuersOptions {
  /** How many servers. Default: 2. */
  readonly servers?: number;
  /** Seconds. Default: 10. */
  readonly maxStaleness?: number;
  /** More environment variables of the servers. */
  readonly env?: Readonly<Record<string, string>>;
  /** More settings of the test's own node. */
  readonly own?: Partial<Settings>;
}

/** Starts an issuer. */
export async function openIssuers(options: IssuersOptions = {}): Promise<Issuers> {
  const { servers: count = 2, maxStaleness = 10, env = {}, own = {} } = options;
  const keyEncryptionKey = `2026:${randomBytes(32).toString("base64url")}`;
  const nodes = await openNodes({
    database: "PostgreSQL",
    servers: 0,
    keyEncryptionKey,
    env: {
      TOKENPAIR_ISSUER: issuer,
      TOKENPAIR_AUDIENCE: audience,
      TOKENPAIR_MAX_STALENESS: String(maxStaleness),
      TOKENPAIR_LOG_LEVEL: "silent",
      ...env,
    },
    own: { issuer, audience, maxStaleness, maxSessionsPerUser: null, ...own },
  });
  const postgres = nodes.postgres as PostgresServer;
  const servers: Issuer[] = [];
  for (let n = 0; n < count; n += 1) {
    const databaseWire = await startTcpProxy(postgres.port);
    const more = { TOKENPAIR_DATABASE_URL: databaseWire.toUrl(postgres.url), TOKENPAIR_NODE_NAME: `node ${n}` };
    const one: Issuer = {
      server: await nodes.start(0, more),
      databaseWire,
      async restart() {
        one.server = await nodes.start(one.server.port, more);
      },
    };
    servers.push(one);
  }
  const { credential } = await addService(nodes, ["feed"]);
  const { id: userId } = await nodes.auth.users.create({ username: "alice" });
  return {
    nodes,
    postgres,
    servers,
    credential,
    userId,
    logIn: async () => (await nodes.auth.issue(userId)) as Pair,
    async retireKeyOf(pair) {
      let committedAt = Number.NaN;
      const { keys } = nodes.store;
      const deps: KeyDeps = {
        store: {
          ...nodes.store,
          keys: {
            ...keys,
            async change(...change) {
              const isDone = await keys.change(...change);
              committedAt = performance.now();
              return isDone;
            },
          },
        },
        settings: { accessTokenLifetime: 1_800, leeway: 0, algorithm: undefined },
        random: randomBytes,
        feed: { apply() {} },
        confirm: async () => "acks",
        emit() {},
        record: () => [],
      };
      const options = { keks: createKeks(keyEncryptionKey), isImmediate: true, signsInRing: true, client: {} };
      await retireKey(deps, toKid(pair), options);
      return committedAt;
    },
    async close() {
      await nodes.close();
      for (const { databaseWire } of servers) await databaseWire.close();
    },
  };
}

/** Returns the id of a pair's session. */
export const toSessionId = ({ access }: Pair): string =>
  JSON.parse(Buffer.from(access.split(".")[1] ?? "", "base64url").toString()).sid;

/** Returns the name of the key that has signed a pair's access token. */
export const toKid = ({ access }: Pair): string =>
  JSON.parse(Buffer.from(access.split(".")[0] ?? "", "base64url").toString()).kid;
