import { createClient, patchFetch } from "tokenpair/client";

export const client = createClient();
patchFetch(client); // for Astro's router, which uses the global fetch
