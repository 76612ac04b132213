import { StoreUnavailableError } from "../../../core/errors.ts";
import type { FeedRead } from "../../../core/store/feed.ts";
import type { PostgresConnection, Run } from "../connection/connection.ts";
import type { PostgresListenClient } from "../connection/driver.ts";
import { hasLostStatement, toStoreError } from "../connection/errors.ts";
import type { Behaviour } from "../connection/options.ts";
import { createStatements, type Parameters } from "../connection/statement.ts";

/**
 * Reads the feed on a connection of its own: while every connection of the pool is busy, the node must not lose its lease.
 */
export interface FeedReader {
  /** Runs the read; with `beat`, in a transaction that also writes to the node's row. */
  readonly read: <Row extends object>(
    sql: string,
    parameters: Parameters,
    options: Pick<FeedRead, "beat" | "timeout" | "nodeId">,
  ) => Promise<readonly Row[]>;
  /** Closes the connection. */
  readonly stop: () => void;
}

const operation = "feed.read";

/** Milliseconds for a new connection, at least. */
const shortestConnect = 1_000;

const beatOnce = "UPDATE tokenpair.nodes SET beat = beat + 1 WHERE id = :nodeId";

// In a statement of its own: the database or the role may have another default.
const waitForStandbys = "SELECT set_config('synchronous_commit', 'on', true)";

/**
 * Creates the reader.
 *
 * @param createClient creates the connection; `null`: reads use the pool.
 */
export function createFeedReader(
  connection: PostgresConnection,
  behaviour: Behaviour,
  createClient: (() => PostgresListenClient) | null,
): FeedReader {
  const { toQuery, stopPreparing } = createStatements(behaviour);
  let client: PostgresListenClient | null = null;
  let isStopped = false;

  function close(): void {
    const last = client;
    client = null;
    last?.end().catch(() => {});
  }

  async function open(create: () => PostgresListenClient, timeout: number): Promise<PostgresListenClient> {
    if (client !== null) return client;
    const opened = create();
    // A connection that breaks between two reads emits an event, which would end the process if nothing listened.
    opened.on("error", () => {
      if (client === opened) close();
    });
    opened.on("end", () => {
      if (client === opened) client = null;
    });
    try {
      await within(opened.connect(), timeout);
      if (isStopped) throw new StoreUnavailableError(`${operation}: the store is closed`);
    } catch (error) {
      opened.end().catch(() => {});
      throw toStoreError(operation, error);
    }
    opened.unref?.();
    client = opened;
    return opened;
  }

  async function readOnOwnConnection<Row extends object>(
    create: () => PostgresListenClient,
    statements: (run: Run) => Promise<readonly Row[]>,
    timeout: number,
  ): Promise<readonly Row[]> {
    const opened = await open(create, Math.max(timeout, shortestConnect));
    const run: Run = async (sql, parameters = {}) => {
      const { rows } = await opened.query({
        ...toQuery(sql, parameters, behaviour.lockTimeout),
        query_timeout: timeout,
      });
      return rows as never;
    };
    try {
      return await statements(run);
    } catch (error) {
      if (hasLostStatement(error)) stopPreparing();
      // The next read gets a new connection: this one may be in a transaction, or still busy with the statement.
      close();
      throw toStoreError(operation, error);
    }
  }

  return {
    read(sql, parameters, { beat, timeout, nodeId }) {
      if (isStopped) return Promise.reject(new StoreUnavailableError(`${operation}: the store is closed`));
      const withBeat = async (run: Run) => {
        await run(waitForStandbys);
        const rows = await run(sql, parameters);
        await run(beatOnce, { nodeId });
        return rows as never;
      };
      if (createClient === null) {
        return beat
          ? connection.transact(operation, ({ run }) => withBeat(run))
          : connection.run(operation, sql, parameters);
      }
      const statements = async (run: Run) => {
        if (!beat) return (await run(sql, parameters)) as never;
        await run("BEGIN");
        const rows = await withBeat(run);
        await run("COMMIT");
        return rows;
      };
      return readOnOwnConnection(createClient, statements, timeout ?? behaviour.statementTimeout);
    },

    stop() {
      isStopped = true;
      close();
    },
  };
}

/** Waits for `work`, but at most `ms` milliseconds. */
async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new StoreUnavailableError(`${operation}: no connection within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
