import type { Environment, KeyValueStorage } from "./environment.ts";
import type { EndReason } from "./session-state.ts";
import { parseAnswer } from "./transport.ts";

/**
 * What the tabs of one browser share about the session. No secret, but for the tokens of bearer mode, which are kept
 * in the storage that the caller chose for them.
 */
export interface SessionRecord {
  /** When the access token arrived: milliseconds of the wall clock, for differences only. */
  readonly at: number;
  /** How long it lives from then, in seconds. */
  readonly lifetime: number;
  readonly sessionId?: string | undefined;
  /** The session is over; `null`: for no reason worth telling. */
  readonly ended?: EndReason | null | undefined;
  readonly access?: string;
  readonly refresh?: string;
}

/** The session's record and the pending attempt, kept where every tab sees them, or in memory where nothing else is. */
export interface Records {
  readonly read: () => Promise<SessionRecord | undefined>;
  readonly write: (record: SessionRecord) => Promise<void>;
  /**
   * The attempt id (`Idempotency-Key`) for refreshing the token that `mark` stands for, stored before it is returned. The
   * same token gets the same id, whoever began; another token gets another. Without a lock, tabs that begin in the same
   * instant agree on one.
   */
  readonly takeAttempt: (mark: string, locked: boolean) => Promise<string>;
  /** Nobody is logged in: nothing is pending. */
  readonly clearAttempt: () => Promise<void>;
}

/** How long a new attempt id lies before it is read back: longer than a tab needs to write its own. Milliseconds. */
const settleTime = 30;

/** `name` tells apart what several clients keep in one storage. */
export function createRecords(env: Environment, storage: KeyValueStorage | undefined, name: string): Records {
  const record = createSlot(storage, name);
  const attempt = createSlot(storage, `${name}#attempt`);
  return {
    async read() {
      const parsed = parseAnswer((await record.read()) ?? "") as Partial<SessionRecord>;
      return Number.isFinite(parsed.at) && Number.isFinite(parsed.lifetime) ? (parsed as SessionRecord) : undefined;
    },
    write: (value) => record.write(JSON.stringify(value)),
    async takeAttempt(mark, locked) {
      // The end is enough to tell one token from the next.
      const suffix = ` ${mark.slice(-16)}`;
      const pending = async () => {
        const [id = "", of] = (await attempt.read())?.split(suffix) ?? [];
        return of === "" && /^[\w-]{22}$/.test(id) && id;
      };
      const known = await pending();
      if (known) return known;
      const own = createAttempt(env);
      await attempt.write(own + suffix);
      if (locked) return own;
      await new Promise<void>((resolve) => env.setTimeout(resolve, settleTime));
      return (await pending()) || own;
    },
    clearAttempt: () => attempt.write(null),
  };
}

/** 128 random bits in base64url. */
function createAttempt(env: Environment): string {
  return btoa(String.fromCharCode(...env.randomBytes(16)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** One string in `storage`. What could not be written is remembered here instead, so that nothing older is read back. */
function createSlot(storage: KeyValueStorage | undefined, key: string) {
  let memory: string | null = null;
  let stored = true;
  return {
    async read(): Promise<string | null> {
      try {
        if (storage && stored) memory = await storage.getItem(key);
      } catch {
        // A storage that cannot be read now: what was last seen stands.
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
