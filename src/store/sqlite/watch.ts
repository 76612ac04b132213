import type { SqliteConnection } from "./connection/connection.ts";

/** Detects commits of other processes that use the same file, because they send no wake-up. */
export interface Watch {
  /** Starts or stops watching. Does nothing if that is already so. */
  readonly setActive: (isActive: boolean) => void;
}

/** The number of milliseconds between two checks. Each check takes a few microseconds. */
const interval = 25;

/**
 * Creates a watch that is not active.
 *
 * @param onCommit called soon after another connection has committed something.
 */
export function createWatch(connection: SqliteConnection, onCommit: () => void): Watch {
  let timer: NodeJS.Timeout | null = null;
  let version: unknown;

  async function look(): Promise<void> {
    const read = () => connection.prepare("PRAGMA data_version").get()?.["data_version"];
    // If it fails, the next look or the next poll notices the commit.
    const current = await connection.read("feed.watch", read).catch(() => version);
    if (version !== undefined && current !== version) onCommit();
    version = current;
  }

  return {
    setActive(isActive) {
      if (isActive === (timer !== null)) return;
      if (timer !== null) clearInterval(timer);
      timer = isActive ? setInterval(() => void look(), interval).unref() : null;
      version = undefined;
    },
  };
}
