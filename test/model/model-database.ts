import type { Revocation } from "../../src/core/revocation.ts";
import type { Session } from "../../src/core/session.ts";
import type { User } from "../../src/core/user.ts";

/** All that the model's database holds, its clock included: plain data that is never changed, only replaced. */
export interface Tables {
  readonly now: number;
  readonly users: Readonly<Record<string, User>>;
  readonly sessions: Readonly<Record<string, Session>>;
  readonly feed: readonly Revocation[];
}

/** What the transactions so far have left, and what of it a crash leaves. The two differ only where a store is broken. */
export interface Disk {
  readonly committed: Tables;
  readonly durable: Tables;
}

/** What the process dies of at a crash point. */
export class Crash extends Error {}

/** What a transaction leaves and answers. */
export interface Change<T> {
  readonly tables: Tables;
  readonly result: T;
}

export interface ModelDatabase {
  readonly disk: Disk;
  /** What each transaction so far has left, in order, beginning with what there was. */
  readonly history: readonly Tables[];
  /**
   * Runs one transaction. With `isDurable: false` its commit reaches the disk only with the next one's.
   *
   * @throws Crash where a crash point is reached, after the loss of what is not durable.
   */
  transact<T>(change: (tables: Tables) => Change<T>, options?: { readonly isDurable?: boolean }): Promise<T>;
}

/** What befalls the process while a flow runs. */
export interface Trouble {
  /** The crash point at which it crashes: there is one before and one after every commit. */
  readonly crashAt?: number;
  /** By how many seconds the clock moves before the first transaction, the second, and so on. */
  readonly clockSteps?: readonly number[];
}

/** A database over `disk` to which `trouble` happens. */
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

/** One text for equal data. */
export function toText(data: unknown): string {
  return JSON.stringify(data, function (this: Record<string, unknown>, name, value: unknown) {
    const bytes = this[name];
    return bytes instanceof Uint8Array ? Buffer.from(bytes).toString("hex") : value;
  });
}
