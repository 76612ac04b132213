import { StoreUnavailableError } from "../../../core/errors.ts";
import { within } from "../../../core/runtime/within.ts";
import type { FeedRead } from "../../../core/store/feed.ts";
import type { PostgresConnection, Run } from "../connection/connection.ts";
import type { PostgresListenClient } from "../connection/driver.ts";
import { hasLostStatement, toStoreError } from "../connection/errors.ts";
import type { Behaviour } from "../connection/options.ts";
import { createStatements, type Parameters } from "../connection/statement.ts";

/** Reads the feed on its own connection. So a node doesn't lose its lease while all connections of the pool are busy. */
export interface FeedReader {
  /** Runs the read. With `beat`, runs it in a transaction that also writes to the node's row. */
  readonly read: <Row extends object>(
    sql: string,
    parameters: Parameters,
    options: Pick<FeedRead, "beat" | "timeout" | "nodeId">,
  ) => Promise<readonly Row[]>;
  /** Closes the connection. */
  readonly stop: () => void;
}

const operation = "feed.read";

/** The minimum number of milliseconds to wait for a new connection. */
const shortestConnect = 1_000;

const beatOnce = "UPDATE tokenpair.nodes SET beat = beat + 1 WHERE id = :nodeId";

// In its own statement: the database or the role may have another default.
const waitForStandbys = "SELECT set_config('synchronous_commit', 'on', true)";

/** Creates a connection. `pg` throws if a certificate file that the connection string names is missing. */
function createOrThrow(create: () => PostgresListenClient): PostgresListenClient {
  try {
    return create();
  } catch (error) {
    throw toStoreError(operation, error);
  }
}

/**
 * Creates the reader.
 *
 * @param createClient creates the connection. If it is `null`, reads use the pool.
 */
export function createFeedReader(
  connection: PostgresConnection,
  behaviour: Behaviour,
  createClient: (() => PostgresListenClient) | null,
): FeedReader {
  const { toQuery, stopPreparing } = createStatements(behaviour);
  // A stopped process must not hold the lock on the node's row for long.
  const begin = `BEGIN ISOLATION LEVEL READ COMMITTED;
    SET LOCAL idle_in_transaction_session_timeout = ${behaviour.statementTimeout}`;
  let client: PostgresListenClient | null = null;
  /** The last read. Reads run one after another, so that no read gets into the transaction of another. */
  let last: Promise<unknown> = Promise.resolve();
  let isPreparing = true;
  let isStopped = false;

  function close(): void {
    const closed = client;
    client = null;
    closed?.end().catch(() => {});
  }

  async function open(create: () => PostgresListenClient, timeout: number): Promise<PostgresListenClient> {
    if (client !== null) return client;
    const opened = createOrThrow(create);
    // A connection that breaks between two reads emits an event, which would end the process if nothing listened.
    opened.on("error", () => {
      if (client === opened) close();
    });
    opened.on("end", () => {
      if (client === opened) client = null;
    });
    try {
      const isConnected = await within(opened.connect(), timeout);
      if (!isConnected) throw new StoreUnavailableError(`${operation}: no connection within ${timeout} ms`);
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
      // The next read gets a new connection: this one may be in a transaction, or still busy with the statement.
      close();
      if (!hasLostStatement(error) || !isPreparing) throw toStoreError(operation, error);
      isPreparing = false;
      stopPreparing();
      return readOnOwnConnection(create, statements, timeout);
    }
  }

  return {
    read<Row extends object>(
      sql: string,
      parameters: Parameters,
      { beat, timeout, nodeId }: Pick<FeedRead, "beat" | "timeout" | "nodeId">,
    ) {
      if (isStopped) return Promise.reject(new StoreUnavailableError(`${operation}: the store is closed`));
      const withBeat = async (run: Run) => {
        await run(waitForStandbys);
        const rows = await run<Row>(sql, parameters);
        await run(beatOnce, { nodeId });
        return rows;
      };
      if (createClient === null) {
        const options = { urgentTimeout: timeout ?? behaviour.statementTimeout };
        return beat
          ? connection.transact(operation, ({ run }) => withBeat(run), options)
          : connection.run<Row>(operation, sql, parameters, options);
      }
      const statements = async (run: Run) => {
        if (!beat) return run<Row>(sql, parameters);
        await run(begin);
        const rows = await withBeat(run);
        await run("COMMIT");
        return rows;
      };
      const start = () => readOnOwnConnection(createClient, statements, timeout ?? behaviour.statementTimeout);
      const result = last.then(start, start);
      last = result;
      return result;
    },

    stop() {
      isStopped = true;
      close();
    },
  };
}
