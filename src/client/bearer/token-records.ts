import { ClientError } from "../client-error.ts";
import type { Environment, KeyValueStorage } from "../environment.ts";
import { createRecords, type Records, type SessionRecord, toNames } from "../session/records.ts";

/** The records of a client that stores its tokens, and the sessions that it still has to revoke. */
export interface TokenRecords extends Records {
  /** Returns the error `storage_failed` if the storage doesn't work. */
  readonly error: () => ClientError | undefined;
  /** Deletes the tokens, but keeps the refresh token until the session is revoked. Both happen in one step. */
  readonly forget: () => Promise<void>;
  /** Returns the refresh tokens of the sessions that the user has logged out of and that aren't revoked yet. */
  readonly readForgotten: () => Promise<readonly string[]>;
  /** Removes one of these refresh tokens. */
  readonly drop: (refresh: string) => Promise<void>;
}

/** The record as it is stored. */
type StoredRecord = SessionRecord & { readonly revoke?: readonly string[] | undefined };

/** The maximum number of bytes to store, because Expo's SecureStore may refuse more than 2,048. Records are ASCII. */
const maxLength = 2000;

/**
 * Creates the records. If an access token makes a record too long, the token is kept only in memory.
 *
 * @param onUse Called after each use of the storage.
 */
export function createTokenRecords(
  env: Environment,
  storage: KeyValueStorage,
  name: string,
  onUse: () => void,
): TokenRecords {
  const records = createRecords(env, storage, toNames(name).map(toKey), onUse);
  const readStored = async () => ((await records.read()) ?? (await move())) as StoredRecord | undefined;
  let latest: StoredRecord | undefined;
  let queue = Promise.resolve();

  function update(change: (stored: Partial<StoredRecord>) => StoredRecord): Promise<void> {
    queue = queue.then(async () => {
      latest = change((await readStored()) ?? {});
      await records.write(JSON.stringify(latest).length > maxLength ? { ...latest, access: undefined } : latest);
    });
    return queue;
  }

  /** Moves what version 0.1 has stored, and returns the record. */
  async function move(): Promise<SessionRecord | undefined> {
    try {
      for (const key of toNames(name)) {
        const old = await storage.getItem(key);
        if (old) {
          await storage.setItem(toKey(key), old);
          await storage.removeItem(key);
        }
      }
    } catch {
      // Not a key of this storage.
    }
    return records.read();
  }

  const readForgotten = async () => (await readStored())?.revoke ?? [];
  return {
    ...records,
    error() {
      const failure = records.failure();
      return failure && new ClientError("storage_failed", "The storage failed.", failure);
    },
    async read() {
      const stored = await readStored();
      return stored && { ...(stored.at === latest?.at && { access: latest.access }), ...stored, revoke: undefined };
    },
    write: (record) => update(({ revoke }) => ({ ...record, revoke })),
    readForgotten,
    forget: () =>
      update(({ sessionId, refresh, revoke = [] }) => ({
        at: 0,
        lifetime: 0,
        sessionId,
        ended: "logged_out",
        revoke: refresh ? [...revoke, refresh] : revoke,
      })),
    drop: (refresh) =>
      update((stored) => ({
        ...(stored as StoredRecord),
        revoke: stored.revoke?.filter((other) => other !== refresh),
      })),
  };
}

/** Returns a key of letters, digits, `.`, `-` and `_`, as Expo's SecureStore requires. */
function toKey(name: string): string {
  return name.replace(/[^a-z0-9.-]/gi, (char) => `_${char.charCodeAt(0).toString(16)}`);
}
