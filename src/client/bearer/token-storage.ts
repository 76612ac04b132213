import { ClientError } from "../client-error.ts";
import type { KeyValueStorage } from "../environment.ts";

/** The application's storage. Its methods reject with `storage_failed`. */
export interface TokenStorage {
  readonly getItem: (key: string) => Promise<string | null>;
  readonly setItem: (key: string, value: string) => Promise<void>;
  readonly removeItem: (key: string) => Promise<void>;
  /** Returns the error of the last call that failed, until a call for the same key succeeds. */
  readonly error: () => ClientError | undefined;
}

/**
 * Creates a storage on top of the application's storage. Its keys consist of letters, digits, `.`, `-` and `_`, as Expo's
 * SecureStore requires. A value that version 0.1 stored under another key is moved.
 *
 * @param onChange called after each call.
 */
export function createTokenStorage(storage: KeyValueStorage, onChange: () => void): TokenStorage {
  const failures = new Map<string, ClientError>();

  async function call<T>(method: keyof KeyValueStorage, key: string, value = ""): Promise<T> {
    try {
      const result = await storage[method](toName(key), value);
      failures.delete(key);
      return result as T;
    } catch (cause) {
      const error = new ClientError("storage_failed", "The storage failed.", { cause });
      failures.set(key, error);
      throw error;
    } finally {
      onChange();
    }
  }

  return {
    async getItem(key) {
      let value = await call<string | null>("getItem", key);
      try {
        const old = value === null && (await storage.getItem(key));
        if (old) {
          value = old;
          await storage.setItem(toName(key), old);
          await storage.removeItem(key);
        }
      } catch {
        // Not a key of this storage.
      }
      // Another call may have moved the value meanwhile.
      return value ?? call("getItem", key);
    },
    setItem: (key, value) => call("setItem", key, value),
    removeItem: (key) => call("removeItem", key),
    error: () => [...failures.values()][0],
  };
}

function toName(key: string): string {
  return key.replace(/[^a-z0-9.-]/gi, (char) => `_${char.charCodeAt(0).toString(16)}`);
}
