import type { Client } from "../client.ts";
import type { KeyValueStorage } from "../environment.ts";

/** The part of React Native's `AppState` that `followAppState` needs. */
export interface AppStateSource {
  /** Calls `listener` with the new state, such as `"active"`, after every change. */
  addEventListener(type: "change", listener: (state: string) => void): { remove(): void };
}

/** The part of `expo-secure-store` that `toSecureStorage` needs. */
export interface SecureStore<O = object> {
  /** Returns the value, or `null` if there is none. */
  getItemAsync(key: string, options?: O): Promise<string | null>;
  /** Stores the value. */
  setItemAsync(key: string, value: string, options?: O): Promise<void>;
  /** Removes the value. */
  deleteItemAsync(key: string, options?: O): Promise<void>;
}

/**
 * Lets a client do at once what is due when the app comes to the foreground, because timers don't run in the background: it
 * refreshes if the access token has expired or is about to, and tries again if the last refresh failed.
 *
 * @param appState React Native's `AppState`.
 * @returns A function that ends this.
 * @example
 * const stop = followAppState(client, AppState);
 */
export function followAppState(
  client: Pick<Client, "ensure" | "refresh" | "session">,
  appState: AppStateSource,
): () => void {
  const subscription = appState.addEventListener("change", (state) => {
    if (state !== "active") return;
    // The client's state says what went wrong.
    (client.session().problem ? client.refresh() : client.ensure()).catch(() => undefined);
  });
  return () => subscription.remove();
}

/**
 * Returns a storage for `createBearerClient` that keeps the tokens in Expo's SecureStore.
 *
 * @param store The module `expo-secure-store`.
 * @param options Its options. With `keychainAccessible: SecureStore.AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY`, the tokens can be
 * read while the device is locked, and stay out of backups. Default: none.
 * @example
 * createBearerClient({ baseUrl: "https://api.example.com", storage: toSecureStorage(SecureStore) });
 */
export function toSecureStorage<O>(store: SecureStore<O>, options?: O): KeyValueStorage {
  return {
    getItem: (key) => store.getItemAsync(key, options),
    setItem: (key, value) => store.setItemAsync(key, value, options),
    removeItem: (key) => store.deleteItemAsync(key, options),
  };
}
