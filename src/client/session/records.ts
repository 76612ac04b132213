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
  readonly access?: string;
  readonly refresh?: string;
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
}

/**
 * How long a tab waits before it reads its new key back, in milliseconds. It must be longer than another tab needs to write
 * a key.
 */
const settleTime = 30;

/** Creates the records. `name` separates clients that use the same storage. */
export function createRecords(env: Environment, storage: KeyValueStorage | undefined, name: string): Records {
  const record = createEntry(storage, name);
  const keyEntry = createEntry(storage, `${name}#attempt`);
  return {
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
        const stored = (await keyEntry.read()) ?? "";
        return stored.slice(22) === ` ${end}` && stored.slice(0, 22);
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

/** Returns 128 random bits in base64url, or `undefined` if the environment can't generate random numbers. */
export function createIdempotencyKey(env: Environment): string | undefined {
  const bytes = env.randomBytes(16);
  if (!bytes) return undefined;
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .slice(0, 22);
}

/**
 * Creates the access to one string in `storage`. If a write fails, the string is kept in memory, so that an older string
 * isn't read.
 */
function createEntry(storage: KeyValueStorage | undefined, key: string) {
  let memory: string | null = null;
  let stored = true;
  return {
    async read(): Promise<string | null> {
      try {
        if (storage && stored) memory = await storage.getItem(key);
      } catch {
        // The storage can't be read at the moment: return what was read or written last.
      }
      return memory;
    },
    async write(value: string | null): Promise<void> {
      memory = value;
      try {
        await (value === null ? storage?.removeItem(key) : storage?.setItem(key, value));
        stored = true;
      } catch {
        stored = false;
      }
    },
  };
}
