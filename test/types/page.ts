/** What a page's code uses of the package's types, with the DOM and without Node. Only compiled: by test/types/run.ts. */
import { type Client, ClientError, createClient, patchFetch } from "tokenpair/client";
import { createBearerClient, type KeyValueStorage } from "tokenpair/client/bearer";
import { useSession } from "tokenpair/react";

interface Shown {
  readonly role: string;
}

const client: Client<Shown> = createClient<Shown>({ baseUrl: "https://api.example.com" });
export const storage: KeyValueStorage = localStorage;
export const bearer = createBearerClient<Shown>({ storage });
export const restore = patchFetch(client);

export function useRole(): string | undefined {
  return useSession(client).user?.claims?.role;
}

export async function logIn(): Promise<string> {
  try {
    const { user } = await client.login({ username: "ada", password: "correct horse battery staple" });
    return user?.username ?? "";
  } catch (error) {
    if (error instanceof ClientError) return error.code;
    throw error;
  }
}
