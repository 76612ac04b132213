/** For an app or another program without cookies: import it there. Keep the tokens in the device's keychain, not in this map. */
import { createBearerClient } from "tokenpair/client/bearer";

const kept = new Map<string, string>();

export const client = createBearerClient({
  baseUrl: "http://localhost:3000",
  storage: {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  },
});
