import type { Environment, KeyValueStorage } from "../environment.ts";
import { parseJsonObject } from "../transport/json-call.ts";
import type { LogoutReason } from "./session-state.ts";

/**
 * What the tabs of a browser share about the session. The bearer client also stores its tokens here, in the storage that
 * the application chose. Tabs with another version of this client read the same record, so its keys are fixed.
 */
export interface SessionRecord {
  /** When the access token was received, in milliseconds on the wall clock. */
  readonly at: number;
  /** How long the access token is valid after it was received, in seconds. */
  readonly lifetime: number;
  /** How long the refresh token is valid after it was received, in seconds, if it is known. */
  readonly refreshLifetime?: number | undefined;
  readonly sessionId?: string | undefined;
  /** Present if the user is no longer logged in: the reason, or `null` if there is no reason to show. */
  readonly ended?: LogoutReason | null | undefined;
  readonly access?: string | undefined;
  readonly refresh?: string;
}

/** Why the storage can't be used. */
export interface Failure {
  readonly cause: unknown;
}

/** The stored record and the stored idempotency key. Both are kept in memory if there is no storage. */
export interface Records {
  readonly read: () => Promise<SessionRecord | undefined>;
  /** Stores the record. If the session is over, the idempotency key is removed. */
  readonly write: (record: SessionRecord) => Promise<void>;
  /**
   * Returns the idempotency key for refreshing one refresh token. The key is stored before it is returned. So every tab
   * gets the same key for the same token, even after a crash. If tabs create a key at the same time without holding the
   * lock, they agree on one. Without random numbers, there is no key.
   *
   * @param fingerprint A value that changes with every refresh token.
   * @param locked Whether this tab holds the lock.
   */
  readonly getKey: (fingerprint: string, locked: boolean) => Promise<string | undefined>;
  /** Returns what the last use of the storage failed with, for the record or else for the key. */
  readonly failure: () => Failure | undefined;
}

/**
 * How long a tab waits before it reads its new key back, in milliseconds. It must be longer than another tab needs to write
 * a key.
 */
const settleTime = 30;

/**
 * Creates the records.
 *
 * @param names The names of the record and of the idempotency key, which separate clients that use the same storage.
 * @param onUse Called after each use of the storage.
 */
export function createRecords(
  env: Environment,
  storage: KeyValueStorage | undefined,
  names: readonly string[],
  onUse?: () => void,
): Records {
  const [record, keyEntry] = names.map((name) => createEntry(storage, name, onUse)) as [Entry, Entry];
  return {
    failure: () => record.failure() ?? keyEntry.failure(),
    async read() {
      const parsed = parseJsonObject(await record.read()) as unknown as SessionRecord;
      return parsed.lifetime >= 0 ? parsed : undefined;
    },
    async write(value) {
      if (value.ended !== undefined) await keyEntry.write(null);
      await record.write(JSON.stringify(value));
    },
    async getKey(fingerprint, locked) {
      // The last characters suffice to tell one refresh token from the next.
      const end = fingerprint.slice(-16);
      const readKey = async () => {
        const stored = await keyEntry.read();
        return stored?.endsWith(` ${end}`) && stored.slice(0, 22);
      };
      const stored = await readKey();
      if (stored) return stored;
      const created = createIdempotencyKey(env);
      if (!created) return undefined;
      await keyEntry.write(`${created} ${end}`);
      if (locked) return created;
      await new Promise<void>((resolve) => env.setTimeout(resolve, settleTime));
      return (await readKey()) || created;
    },
  };
}

/** Returns 22 random characters (110 bits), or `undefined` if the environment can't generate random numbers. */
export function createIdempotencyKey(env: Environment): string | undefined {
  const bytes = env.randomBytes(22);
  return bytes && Array.from(bytes, (byte) => (byte % 32).toString(32)).join("");
}

/** Returns the names of the record and of the idempotency key. Other versions of this client use the same. */
export const toNames = (name: string): readonly string[] => [name, `${name}#attempt`];

/** One string in the storage. */
interface Entry {
  readonly read: () => Promise<string | null>;
  readonly write: (value: string | null) => Promise<void>;
  readonly failure: () => Failure | undefined;
}

/**
 * Creates the access to one string in `storage`. If a write fails, the string is kept in memory, so that an older string
 * isn't read.
 */
function createEntry(storage: KeyValueStorage | undefined, key: string, onUse?: () => void): Entry {
  let memory: string | null = null;
  let isStored = true;
  let failure: Failure | undefined;

  /** Returns whether `run` succeeded. */
  async function use(run: () => Promise<unknown>): Promise<boolean> {
    failure = await run().then(
      () => undefined,
      (cause) => ({ cause }),
    );
    onUse?.();
    return !failure;
  }

  return {
    failure: () => failure,
    async read() {
      // If it can't be read at the moment, this is what was read or written last.
      if (storage && isStored)
        await use(async () => {
          memory = await storage.getItem(key);
        });
      return memory;
    },
    async write(value) {
      memory = value;
      isStored = await use(async () => (value === null ? storage?.removeItem(key) : storage?.setItem(key, value)));
    },
  };
}
