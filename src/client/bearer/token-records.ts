import type { Environment } from "../environment.ts";
import { createRecords, type Records, type SessionRecord } from "../session/records.ts";
import type { TokenStorage } from "./token-storage.ts";

/** The records of a client that stores its tokens, and the sessions that it still has to revoke. */
export interface TokenRecords extends Records {
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

/** Creates the records. If an access token makes a record too long, the token is kept only in memory. */
export function createTokenRecords(env: Environment, storage: TokenStorage, name: string): TokenRecords {
  const records = createRecords(env, storage, name);
  const readStored = records.read as () => Promise<StoredRecord | undefined>;
  let latest: StoredRecord | undefined;
  let queue = Promise.resolve();

  function update(change: (stored: Partial<StoredRecord>) => StoredRecord): Promise<void> {
    queue = queue.then(async () => {
      latest = change((await readStored()) ?? {});
      const { access, ...rest } = latest;
      await records.write(JSON.stringify(latest).length > maxLength ? rest : latest);
    });
    return queue;
  }

  const readForgotten = async () => (await readStored())?.revoke ?? [];
  return {
    ...records,
    async read() {
      const stored = await readStored();
      return stored && { ...(stored.at === latest?.at && { access: latest.access }), ...stored, revoke: undefined };
    },
    write: (record) => update(({ revoke }) => ({ ...record, revoke })),
    readForgotten,
    forget: () =>
      update(({ sessionId, refresh, revoke = [] }) => ({
        ...{ at: 0, lifetime: 0, sessionId, ended: "logged_out" },
        revoke: refresh ? [...revoke, refresh] : revoke,
      })),
    drop: (refresh) =>
      update((stored) => ({
        ...(stored as StoredRecord),
        revoke: stored.revoke?.filter((other) => other !== refresh),
      })),
  };
}
