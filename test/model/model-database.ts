import type { Revocation } from "../../src/core/revocation.ts";
import type { Session } from "../../src/core/session.ts";
import type { User } from "../../src/core/user.ts";

/** Everything that the model's database holds, with its clock: plain data that is never changed, only replaced. */
export interface Tables {
  readonly now: number;
  readonly users: Readonly<Record<string, User>>;
  readonly sessions: Readonly<Record<string, Session>>;
  readonly feed: readonly Revocation[];
}

/** The state of the database. The two members only differ if a store is broken on purpose. */
export interface Disk {
  /** What the transactions so far have written. */
  readonly committed: Tables;
  /** What a crash would leave of it. */
  readonly durable: Tables;
}

/** Thrown at a crash point: the process crashes. */
export class Crash extends Error {}

/** What a transaction writes and returns. */
export interface Change<T> {
  readonly tables: Tables;
  readonly result: T;
}

/** A database in memory. */
export interface ModelDatabase {
  readonly disk: Disk;
  /** The tables before the first transaction and after each, in order. */
  readonly history: readonly Tables[];
  /**
   * Runs one transaction. With `isDurable: false`, its commit becomes durable only with the next one's.
   *
   * @throws Crash at a crash point, after what is not durable was lost.
   */
  transact<T>(change: (tables: Tables) => Change<T>, options?: { readonly isDurable?: boolean }): Promise<T>;
}

/** What happens to the process while a flow runs. */
export interface Trouble {
  /** The crash point at which it crashes: there is one before and one after every commit. */
  readonly crashAt?: number;
  /** By how many seconds the clock moves before the first transaction, the second, and so on. */
  readonly clockSteps?: readonly number[];
}

/** Creates a database over `disk` to which `trouble` happens. */
export function createModelDatabase(disk: Disk, { crashAt, clockSteps = [] }: Trouble = {}): ModelDatabase {
  let { committed, durable } = disk;
  let point = 0;
  const history = [committed];

  function pass(): void {
    if (point++ !== crashAt) return;
    committed = durable;
    throw new Crash();
  }

  return {
    get disk() {
      return { committed, durable };
    },
    history,
    async transact(change, { isDurable = true } = {}) {
      pass();
      const step = clockSteps[history.length - 1] ?? 0;
      if (step !== 0) committed = { ...committed, now: committed.now + step };
      const { tables, result } = change(committed);
      committed = tables;
      if (isDurable) durable = tables;
      history.push(tables);
      pass();
      return result;
    },
  };
}

/** Returns the same text for equal data. */
export function toText(data: unknown): string {
  return JSON.stringify(data, function (this: Record<string, unknown>, name, value: unknown) {
    const bytes = this[name];
    return bytes instanceof Uint8Array ? Buffer.from(bytes).toString("hex") : value;
  });
}
