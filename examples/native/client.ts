/** The client for a React Native app with Expo. Import it wherever you need it: the whole app shares one client. */
import { getRandomValues } from "expo-crypto";
import * as SecureStore from "expo-secure-store";
import { AppState } from "react-native";
import { createBearerClient, followAppState, toSecureStorage } from "tokenpair/client/bearer";

// Hermes has no `crypto`. The client needs this function for its idempotency keys.
globalThis.crypto ??= { getRandomValues } as Crypto;

export const client = createBearerClient({
  baseUrl: process.env.EXPO_PUBLIC_API_URL ?? "https://api.example.com",
  storage: toSecureStorage(SecureStore, {
    // A token refresh in the background works while the device is locked, and the tokens stay out of backups.
    keychainAccessible: SecureStore.AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY,
  }),
});
followAppState(client, AppState);
